// reference.h -- docs/numerics.md, one slow loop a formula.
#pragma once

#include <cmath>
#include <cstddef>

#include "kernels/kernel_table.h"

namespace fastcal::testing {

template <typename Term>
double lane_sum(std::size_t n, const Term& term) {
  double lanes[kSumLanes] = {};
  for (std::size_t i = 0; i < n; ++i) lanes[i % kSumLanes] += term(i);
  for (std::size_t half = 8; half >= 1; half /= 2)
    for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  return lanes[0];
}

inline double dot(const float* a, const float* b, std::size_t dim) {
  return lane_sum(dim, [&](std::size_t i) { return static_cast<double>(a[i]) * static_cast<double>(b[i]); });
}

inline float score(Metric metric, const float* q, const float* x, std::size_t dim) {
  double value = 0;
  if (metric == Metric::euclidean) {
    value = std::sqrt(lane_sum(dim, [&](std::size_t i) {
      const double d = static_cast<double>(q[i]) - static_cast<double>(x[i]);
      return d * d;
    }));
  } else {
    value = dot(q, x, dim);
    if (metric == Metric::cosine) {
      const double norms = std::sqrt(dot(q, q, dim)) * std::sqrt(dot(x, x, dim));
      value = norms == 0 ? 0 : value / norms;
    }
  }
  return static_cast<float>(value) + 0.0f;
}

inline constexpr Metric kAllMetrics[] = {Metric::cosine, Metric::dot, Metric::euclidean};

}  // namespace fastcal::testing
