// platt.cpp -- Newton's method in two parameters on standardised scores.
//
// Scores are standardised first, so that the Hessian is well conditioned for cosines in [0.7, 0.9] and for logits in
// the millions alike; the optimum is the same: a s + b = a' (s - mean) / sd + b'.
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/calibration.h"
#include "core/check.h"

namespace fastcal {
namespace {

constexpr int kMaxIterations = 100;
constexpr double kRidge = 1e-12;  // keeps the Hessian positive definite
constexpr double kMinStep = 1e-10;
constexpr double kSufficientDecrease = 1e-4;
constexpr double kGradientTolerance = 1e-15;  // relative to the total weight
// Where a Newton step promises less than this share of the objective, rounding hides the decrease from the line search
// (it would stop at about 1e-8 of the optimum), and the full step converges quadratically.
constexpr double kTrustedDecrease = 1e-9;

struct Sample {
  double z, target, weight;
};

// visit(sample) for all of them, in order.
template <typename Visit>
void for_each(const std::vector<Sample>& samples, StopToken& stop, const Visit& visit) {
  in_stoppable_pieces(samples.size(), stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) visit(samples[i]);
  });
}

struct Derivatives {
  double gradient_a = 0, gradient_b = 0, h_aa = 0, h_ab = 0, h_bb = 0;
};

// log(1 + exp(-|t|)) and the branch on the sign of t keep every term finite.
double objective(const std::vector<Sample>& samples, PlattModel m, StopToken& stop) {
  double total = 0;
  for_each(samples, stop, [&](const Sample& s) {
    const double t = s.z * m.a + m.b;
    const double linear = t >= 0 ? s.target * t : (s.target - 1) * t;
    total += s.weight * (linear + std::log1p(std::exp(-std::fabs(t))));
  });
  return total;
}

Derivatives derivatives(const std::vector<Sample>& samples, PlattModel m, StopToken& stop) {
  Derivatives d;
  for_each(samples, stop, [&](const Sample& s) {
    const double t = s.z * m.a + m.b;
    const double e = std::exp(-std::fabs(t));
    const double p = t >= 0 ? e / (1 + e) : 1 / (1 + e);
    const double curvature = s.weight * (e / ((1 + e) * (1 + e)));
    const double slope = s.weight * (s.target - p);
    d.h_aa += s.z * s.z * curvature;
    d.h_ab += s.z * curvature;
    d.h_bb += curvature;
    d.gradient_a += s.z * slope;
    d.gradient_b += slope;
  });
  return d;
}

// The Newton direction of a 2 x 2 system whose diagonal carries the ridge.
PlattModel direction(const Derivatives& d) {
  const double aa = d.h_aa + kRidge, bb = d.h_bb + kRidge;
  const double determinant = aa * bb - d.h_ab * d.h_ab;
  return {-(bb * d.gradient_a - d.h_ab * d.gradient_b) / determinant, -(aa * d.gradient_b - d.h_ab * d.gradient_a) / determinant};
}

// Longest step of 1, 1/2, 1/4, ... that lowers the objective enough; 0 if none does.
double step_length(const std::vector<Sample>& samples, PlattModel m, PlattModel step, double value, double descent, StopToken& stop) {
  if (-descent <= kTrustedDecrease * value) return 1;
  for (double length = 1; length >= kMinStep; length /= 2)
    if (objective(samples, {m.a + length * step.a, m.b + length * step.b}, stop) < value + kSufficientDecrease * length * descent)
      return length;
  return 0;
}

PlattModel minimise(const std::vector<Sample>& samples, PlattModel m, double total_weight, StopToken& stop) {
  for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
    const Derivatives d = derivatives(samples, m, stop);
    if (std::max(std::fabs(d.gradient_a), std::fabs(d.gradient_b)) <= kGradientTolerance * total_weight) break;
    const PlattModel step = direction(d);
    const double descent = d.gradient_a * step.a + d.gradient_b * step.b;
    const double length = step_length(samples, m, step, objective(samples, m, stop), descent, stop);
    const PlattModel next{m.a + length * step.a, m.b + length * step.b};
    if (std::fabs(next.a - m.a) <= 1e-15 * std::fabs(m.a) && std::fabs(next.b - m.b) <= 1e-15 * std::fabs(m.b)) break;
    m = next;
  }
  return m;
}

}  // namespace

PlattModel platt_fit(std::span<const double> scores, std::span<const double> targets, std::span<const double> weights, StopToken& stop) {
  FASTCAL_ASSERT(!scores.empty() && scores.size() == targets.size() && scores.size() == weights.size());
  // Scores are divided by their largest magnitude before they are squared, so that none overflows.
  const std::size_t n = scores.size();
  double weight = 0, target = 0, low = scores[0], high = scores[0];
  in_stoppable_pieces(n, stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      weight += weights[i];
      target += weights[i] * targets[i];
      low = std::min(low, scores[i]);
      high = std::max(high, scores[i]);
    }
  });
  const double largest = std::max(std::fabs(low), std::fabs(high));
  const double unit = largest > 0 ? largest : 1;
  double mean = 0, variance = 0;
  in_stoppable_pieces(n, stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) mean += weights[i] * (scores[i] / unit);
  });
  mean /= weight;
  in_stoppable_pieces(n, stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) variance += weights[i] * (scores[i] / unit - mean) * (scores[i] / unit - mean);
  });
  const double sd = std::sqrt(variance / weight);
  const double base_rate = target / weight;
  const PlattModel start{0, std::log((1 - base_rate) / base_rate)};
  if (low == high || sd == 0) return start;
  std::vector<Sample> samples(n);
  in_stoppable_pieces(n, stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) samples[i] = {(scores[i] / unit - mean) / sd, targets[i], weights[i]};
  });
  const PlattModel m = minimise(samples, start, weight, stop);
  return {m.a / sd / unit, m.b - m.a * mean / sd};
}

}  // namespace fastcal
