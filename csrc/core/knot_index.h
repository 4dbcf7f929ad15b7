// knot_index.h -- rising knots prepared for many scores: a table of buckets leads to the few knots that a score has to be compared with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kernel_table.h"

namespace fastcal {

// For the kernels `positions` and `interpolate`. Buckets are of equal width; knots crowded into few of them cost more steps, at most
// those of a binary search.
template <typename T>
class KnotIndex {
 public:
  // At least one knot, fewer than 2^28, rising, finite.
  explicit KnotIndex(std::span<const double> knots);
  KnotTable<T> table() const { return {x_.data(), first_.data(), origin_, scale_, static_cast<double>(first_.size() - 1), step_}; }

  // Making the index costs about as much as searching for this many scores one by one.
  static bool pays_off(std::size_t scores, std::size_t knots) {
    return scores > 4 * knots && scores >= 256 && knots < (std::size_t{1} << 28);
  }

 private:
  std::size_t bucket_of(double v) const;

  std::vector<T> x_;
  std::vector<std::int32_t> first_;
  double origin_, scale_;
  std::int32_t step_ = 1;
};

// The segments of the curve through the knots (x[i], y[i]), for the kernel `interpolate`.
std::vector<Segment> segments_of(std::span<const double> x, std::span<const double> y);

}  // namespace fastcal
