// test_evidence.cpp -- evidence against the sum of likelihood ratios that defines it, in long double; crossings, edges, any start.
#include "core/evidence.h"

#include <cmath>
#include <limits>
#include <vector>

#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

long double log_choose(std::int64_t n, std::int64_t k) {
  return std::lgamma(static_cast<long double>(n + 1)) - std::lgamma(static_cast<long double>(k + 1)) -
         std::lgamma(static_cast<long double>(n - k + 1));
}

// ln of the mean over positives = null_hits + 1 .. population of the likelihood ratio to null_hits.
long double log_mixture(std::int64_t hits, std::int64_t n, std::int64_t population, std::int64_t null_hits) {
  const auto log_likelihood = [&](std::int64_t positives) {
    return log_choose(population - n, positives - hits) - log_choose(population, positives);
  };
  long double sum = 0.0L;
  for (std::int64_t positives = null_hits + 1; positives <= population - n + hits; ++positives)
    sum += std::exp(log_likelihood(positives) - log_likelihood(null_hits));
  return std::log(sum / static_cast<long double>(population - null_hits));
}

void check_definition(std::int64_t population, std::int64_t null_hits, std::uint64_t period) {
  Uninterrupted call;
  std::vector<std::uint8_t> labels(static_cast<std::size_t>(population));
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = i % period != period / 2 ? 1 : 0;
  std::vector<double> out(labels.size());
  log_evidence(labels, population, null_hits, 0, out.data(), call.stop);
  std::int64_t hits = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    hits += labels[i];
    const auto n = static_cast<std::int64_t>(i) + 1;
    if (hits > null_hits)
      CHECK(out[i] == kInfinity);
    else if (n - hits >= population - null_hits)
      CHECK(out[i] == -kInfinity);
    else
      CHECK(std::fabs(static_cast<long double>(out[i]) - log_mixture(hits, n, population, null_hits)) < 1e-12L);
  }
  for (const std::size_t start : {std::size_t{1}, labels.size() / 2, labels.size()}) {
    std::vector<double> rest(labels.size() - start);
    log_evidence(labels, population, null_hits, start, rest.data(), call.stop);
    for (std::size_t i = 0; i < rest.size(); ++i) CHECK(rest[i] == out[start + i]);
  }
}

// First n at which all-positive labels lift evidence to 20.
template <typename Evidence>
std::size_t crossing(const Evidence& evidence) {
  const std::vector<std::uint8_t> ones(50, 1);
  std::vector<double> out(ones.size());
  evidence(ones, out.data());
  for (std::size_t i = 0; i < out.size(); ++i)
    if (out[i] >= std::log(20.0)) return i + 1;
  return 0;
}

void check_crossings() {
  Uninterrupted call;
  CHECK(crossing([&](const auto& ones, double* out) { log_evidence(ones, 50, 44, 0, out, call.stop); }) == 24);
  CHECK(crossing([&](const auto& ones, double* out) { log_evidence(ones, 200, 179, 0, out, call.stop); }) == 36);
  CHECK(crossing([&](const auto& ones, double* out) { log_evidence_iid(ones, 0.9, 1.0, 0, out, call.stop); }) == 43);
  CHECK(crossing([&](const auto& ones, double* out) { log_evidence_iid(ones, 0.9, 0.5, 0, out, call.stop); }) == 36);
}

// A sum far beyond the range of double: all of many labels positive, E = mean of (rate / null)^n over rates above the null.
void check_scaling() {
  Uninterrupted call;
  const std::vector<std::uint8_t> ones(4000, 1);
  double out = 0.0;
  log_evidence_iid(ones, 0.25, 1.0, ones.size() - 1, &out, call.stop);
  const long double exact = -4000.0L * std::log(0.25L) - std::log(4001.0L * 0.75L);
  CHECK(std::fabs(static_cast<long double>(out) - exact) < 1e-11L);
}

void check_edges() {
  Uninterrupted call;
  const std::vector<std::uint8_t> labels{1, 0, 1};
  std::vector<double> out(3);
  log_evidence(labels, 3, -1, 0, out.data(), call.stop);
  CHECK(out[0] == kInfinity && out[2] == kInfinity);
  log_evidence(labels, 3, 3, 0, out.data(), call.stop);
  CHECK(out[0] == -kInfinity && out[2] == -kInfinity);
  log_evidence({}, 3, 1, 0, nullptr, call.stop);
}

}  // namespace

int main() {
  check_definition(60, 53, 11);
  check_definition(60, 20, 3);
  check_definition(300, 299, 50);
  check_definition(300, 0, 2);
  check_crossings();
  check_scaling();
  check_edges();
  return finish();
}
