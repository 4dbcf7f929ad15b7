// evidence.cpp -- E is a front factor times a finite sum of positive terms with rational ratios: no cancellation, no gamma function.
#include "core/evidence.h"

#include <limits>
#include <numeric>

#include "core/check.h"
#include "core/elementary.h"

namespace fastcal {
namespace {

constexpr std::size_t kLooks = 64;  // between questions whether to stop: 10 ms at 10^5 terms each
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Ratio i of the sum: (hits - i) (bad - slope i) / ((good + slope i) (misses + i)). It falls with i and reaches 0 by i = hits.
struct Ratios {
  double hits, bad, good, misses, slope;
};

// ln(front (1 + r0 + r0 r1 + ...)). As ratios fall, nothing of weight follows a term below 2^-60 of the sum.
double log_of_sum(const Ratios& r, double front) {
  constexpr double kHuge = 0x1p900, kNegligible = 0x1p-60, kLogHuge = 900.0 * (kLn2Upper + kLn2Lower);
  double sum = 1.0, term = 1.0, scaled = 0.0;
  for (double i = 0.0;; i += 1.0) {
    const double step = r.slope * i;
    term *= ((r.hits - i) * (r.bad - step)) / ((r.good + step) * (r.misses + i));
    if (term <= sum * kNegligible) break;
    sum += term;
    if (sum > kHuge) {
      sum /= kHuge;
      term /= kHuge;
      scaled += kLogHuge;
    }
  }
  return natural_log(front * sum) + scaled;
}

// value(hits, misses) after every label from `start` on.
template <typename Value>
void after_each(std::span<const std::uint8_t> labels, std::size_t start, double* out, StopToken& stop, const Value& value) {
  std::int64_t hits = std::accumulate(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(start), std::int64_t{0});
  for (std::size_t i = start; i < labels.size(); ++i) {
    if (i % kLooks == 0) stop.throw_if_stopped();
    hits += labels[i];
    out[i - start] = value(hits, static_cast<std::int64_t>(i) + 1 - hits);
  }
}

}  // namespace

void log_evidence(std::span<const std::uint8_t> labels, std::int64_t population, std::int64_t null_hits, std::size_t start, double* out,
                  StopToken& stop) {
  FASTCAL_ASSERT(start <= labels.size() && static_cast<std::int64_t>(labels.size()) <= population);
  const std::int64_t null_misses = population - null_hits;
  after_each(labels, start, out, stop, [&](std::int64_t hits, std::int64_t misses) {
    if (hits > null_hits) return kInfinity;
    if (misses >= null_misses) return -kInfinity;
    const auto more = static_cast<double>(null_hits + 1 - hits), rest = static_cast<double>(null_misses - misses);
    const double front =
        (static_cast<double>(null_hits + 1) * rest) / ((more * static_cast<double>(misses + 1)) * static_cast<double>(null_misses));
    return log_of_sum({static_cast<double>(hits), rest - 1.0, more + 1.0, static_cast<double>(misses + 2), 1.0}, front);
  });
}

void log_evidence_iid(std::span<const std::uint8_t> labels, double null_rate, double shape, std::size_t start, double* out,
                      StopToken& stop) {
  FASTCAL_ASSERT(start <= labels.size());
  after_each(labels, start, out, stop, [&](std::int64_t hits, std::int64_t misses) {
    const double weight = shape + static_cast<double>(misses);
    return log_of_sum({static_cast<double>(hits), 1.0 - null_rate, null_rate, weight + 1.0, 0.0}, shape / weight);
  });
}

void log_tail_sums(const TailSums& sums, double* out, StopToken& stop) {
  for (std::size_t j = 0; j < sums.hits.size(); ++j) {
    if (j % kLooks == 0) stop.throw_if_stopped();
    out[j] = log_of_sum({sums.hits[j], sums.bad[j], sums.good[j], sums.misses[j], 1.0}, 1.0);
  }
}

}  // namespace fastcal
