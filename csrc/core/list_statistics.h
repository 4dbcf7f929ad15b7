// list_statistics.h -- the statistics of a list, block by block: blocks are merged in order, whoever computed them.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

#include "core/lists.h"

namespace fastcal {

// Of the entries that are not NaN. What a kind of rule does not need stays as it is here.
struct Summary {
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  double mean = 0.0;
  double squares = 0.0;  // of the deviations from the mean; for l2, of the scores
  std::size_t count = 0;
};

inline bool needs_extent(AffineKind kind) {
  return kind == AffineKind::minmax || kind == AffineKind::max || kind == AffineKind::sum || kind == AffineKind::given;
}
inline bool needs_mean(AffineKind kind) {
  return kind == AffineKind::sum || kind == AffineKind::zscore || kind == AffineKind::dbsf;
}

// A block of at most kMomentBlock positions. Sums are taken of the distances from its first number, not of the scores: that
// number is at most sqrt(count) standard deviations away, so squares - sum * sum / count loses at most log2(count) bits.
template <typename T>
Summary summarise_block(const ListKernels<T>& kernels, AffineKind kind, const T* values, std::size_t n) {
  Summary block;
  if (needs_extent(kind)) {
    const Extent extent = kernels.extent(values, n);
    block.min = extent.min;
    block.max = extent.max;
    block.count = extent.count;
  }
  if (needs_mean(kind)) {
    std::size_t first = 0;
    while (first < n && values[first] != values[first]) ++first;
    if (first == n) return block;
    const double shift = static_cast<double>(values[first]);
    const Moments moments = kernels.moments(values, n, shift);
    block.count = moments.count;
    const auto count = static_cast<double>(moments.count);
    const double squares = moments.squares - moments.sum * moments.sum / count;
    block.mean = shift + moments.sum / count;
    block.squares = squares < 0.0 ? 0.0 : squares;
  } else if (kind == AffineKind::l2) {
    const Moments moments = kernels.moments(values, n, 0.0);
    block.squares = moments.squares;
    block.count = moments.count;
  }
  return block;
}

// Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
inline void merge(AffineKind kind, Summary& total, const Summary& block) {
  if (block.count == 0) return;
  if (total.count == 0) {
    total = block;
    return;
  }
  total.min = block.min < total.min ? block.min : total.min;
  total.max = block.max > total.max ? block.max : total.max;
  const auto before = static_cast<double>(total.count), added = static_cast<double>(block.count);
  total.count += block.count;
  total.squares += block.squares;
  if (!needs_mean(kind)) return;
  const double delta = block.mean - total.mean, share = added / static_cast<double>(total.count);
  total.mean += delta * share;
  total.squares += delta * delta * (before * share);
}

template <typename T>
Summary summarise(const ListKernels<T>& kernels, AffineKind kind, const T* values, std::size_t n) {
  Summary total;
  for (std::size_t begin = 0; begin < n; begin += kMomentBlock)
    merge(kind, total, summarise_block(kernels, kind, values + begin, n - begin < kMomentBlock ? n - begin : kMomentBlock));
  return total;
}

}  // namespace fastcal
