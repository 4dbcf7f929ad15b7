// gate.h -- which rows a search may return: those allowed, and good enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "kernels/kernel_table.h"

namespace fastcal {

struct Gate {
  const float* thresholds = nullptr;    // one score a query, inclusive
  const std::uint8_t* allow = nullptr;  // one byte a row, 0 where forbidden
  std::size_t allow_stride = 0;         // from one query's mask to the next; 0 if they share one

  const std::uint8_t* mask(std::size_t query) const { return allow == nullptr ? nullptr : allow + query * allow_stride; }

  // The least key (score, or minus distance) that passes.
  float floor(std::size_t query, Metric metric) const {
    if (thresholds == nullptr) return -std::numeric_limits<float>::infinity();
    return metric == Metric::euclidean ? -thresholds[query] : thresholds[query];
  }

  // The gate of the queries from `first` on.
  Gate from(std::size_t first) const { return {thresholds == nullptr ? nullptr : thresholds + first, mask(first), allow_stride}; }
};

}  // namespace fastcal
