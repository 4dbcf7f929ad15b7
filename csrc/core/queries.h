// queries.h -- the queries of one call, widened and padded once.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/kernel_table.h"

namespace fastcal {

// Query q of a block, as a block.
inline QueryBlock one_of(const QueryBlock& all, std::size_t q) {
  return {all.f64 + q * all.stride, all.f32 + q * all.stride, all.norms + q, 1, all.dim, all.stride};
}

class Queries {
 public:
  // `values`: row-major (n, dim), finite.
  Queries(const KernelTable& kernels, const float* values, std::size_t n, std::size_t dim);

  QueryBlock block(std::size_t first, std::size_t n) const;
  std::size_t size() const { return n_; }
  std::size_t dim() const { return dim_; }

 private:
  std::size_t n_, dim_, stride_;
  std::vector<float> f32_;
  std::vector<double> f64_, norms_;
};

}  // namespace fastcal
