// queries.cpp -- float64 and float32 copies, zero-padded to whole lane groups, and norms.
#include "core/queries.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace fastcal {

Queries::Queries(const KernelTable& kernels, const float* values, std::size_t n, std::size_t dim)
    : n_(n), dim_(dim), stride_((dim + kSumLanes - 1) / kSumLanes * kSumLanes), f32_(n * stride_), f64_(n * stride_), norms_(n) {
  for (std::size_t q = 0; q < n; ++q) {
    const float* row = values + q * dim;
    std::copy_n(row, dim, f32_.data() + q * stride_);
    std::copy_n(row, dim, f64_.data() + q * stride_);
    kernels.squared_norms(&row, 1, dim, &norms_[q]);
    norms_[q] = std::sqrt(norms_[q]);
  }
}

QueryBlock Queries::block(std::size_t first, std::size_t n) const {
  FASTCAL_ASSERT(first + n <= n_);
  return {f64_.data() + first * stride_, f32_.data() + first * stride_, norms_.data() + first, n, dim_, stride_};
}

}  // namespace fastcal
