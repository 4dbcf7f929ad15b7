// test_venn_abers.cpp -- tables against the min-max formula, step curves against their definition, beta's map against long double.
#include "core/venn_abers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/kernel_table.h"
#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

struct Sample {
  std::vector<double> scores, labels, weights;
};

// The increasing regression of the sample and a test object of weight 1, at the object.
double fitted_again(const Sample& sample, double score, double label) {
  double best = 0.0;
  std::vector<double> bounds = sample.scores;
  bounds.push_back(score);
  for (const double low : bounds) {
    if (low > score) continue;
    double least = 1.0;
    for (const double high : bounds) {
      if (high < score) continue;
      double sum = label, weight = 1.0;
      for (std::size_t i = 0; i < sample.scores.size(); ++i) {
        if (sample.scores[i] < low || sample.scores[i] > high) continue;
        sum += sample.weights[i] * sample.labels[i];
        weight += sample.weights[i];
      }
      least = std::min(least, sum / weight);
    }
    best = std::max(best, least);
  }
  return best;
}

void check_tables(const Sample& sample, const KernelTable& table) {
  Uninterrupted call;
  const std::size_t n = sample.scores.size();
  std::vector<double> knots(n), p0(2 * n + 1), p1(2 * n + 1);
  const std::size_t count = venn_abers_fit(sample.scores, sample.labels, sample.weights, knots.data(), p0.data(), p1.data(), call.stop);
  std::vector<double> asked = sample.scores;
  for (const double score : sample.scores) {
    asked.push_back(std::nextafter(score, -INFINITY));
    asked.push_back(std::nextafter(score, INFINITY));
  }
  std::vector<double> low(asked.size()), high(asked.size());
  table.f64.step_predict(asked.data(), asked.size(), knots.data(), count, p0.data(), low.data());
  table.f64.step_predict(asked.data(), asked.size(), knots.data(), count, p1.data(), high.data());
  for (std::size_t i = 0; i < asked.size(); ++i) {
    CHECK(low[i] == fitted_again(sample, asked[i], 0.0));
    CHECK(high[i] == fitted_again(sample, asked[i], 1.0));
  }
}

// Scores of few values, so that ties are the rule; weights are multiples of 1/4, so that sums are exact.
void check_venn_abers(const KernelTable& table) {
  std::uint64_t state = 7;
  const auto below = [&state](std::uint64_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>((state >> 33) % bound);
  };
  for (int round = 0; round < 60; ++round) {
    Sample sample;
    const auto n = static_cast<std::size_t>(2 + below(14));
    for (std::size_t i = 0; i < n; ++i) {
      sample.scores.push_back(below(9) - 4.0);
      sample.labels.push_back(below(2));
      sample.weights.push_back(i == 0 ? 1.0 : below(9) / 4.0);
    }
    check_tables(sample, table);
  }
}

void check_step_curve(const KernelTable& table) {
  const std::vector<double> knots{0.0, 1.0, 3.0}, values{1, 2, 3, 4, 5, 6, 7};
  const std::vector<float> scores{-1, -0.0f, 0, 0.5, 1, 2, 3, 9, NAN};
  std::vector<float> out(scores.size());
  table.f32.step_predict(scores.data(), scores.size(), knots.data(), knots.size(), values.data(), out.data());
  CHECK((std::vector<float>(out.begin(), out.end() - 1) == std::vector<float>{1, 2, 2, 3, 4, 5, 6, 7}));
  CHECK(out.back() != out.back());
  table.f32.step_predict(scores.data(), 2, nullptr, 0, values.data(), out.data());
  CHECK(out[0] == 1.0f && out[1] == 1.0f);
}

void check_beta_map(const KernelTable& table) {
  std::vector<double> scores;
  for (double p = 1e-6; p < 1.0; p += 0.00037) scores.push_back(p);
  const BetaMap map{0.0, 1.0, 0.7, 1.9, -0.3};
  std::vector<double> out(scores.size());
  table.f64.beta_predict(scores.data(), scores.size(), map, out.data());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto p = static_cast<long double>(scores[i]);
    const long double t = 0.7L * std::log(p) - 1.9L * std::log1p(-p) - 0.3L;
    const long double truth = 1.0L / (1.0L + std::exp(-t));
    CHECK(std::fabs(static_cast<long double>(out[i]) - truth) <= 2e-14L * truth);
  }
  const std::vector<float> edges{0.0f, 1.0f, 2.0f, NAN};
  std::vector<float> p(4);
  table.f32.beta_predict(edges.data(), 4, {0.0, 1.0, 1.0, 1.0, 0.0}, p.data());
  CHECK(p[0] == 0x1p-25f && p[1] == 1.0f && p[2] == 1.0f && p[3] != p[3]);
}

}  // namespace

int main() {
  for (const KernelTable* table : supported_tables()) {
    check_venn_abers(*table);
    check_step_curve(*table);
    check_beta_map(*table);
  }
  return finish();
}
