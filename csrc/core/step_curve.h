// step_curve.h -- step curves prepared for many scores.
#pragma once

#include <span>
#include <vector>

#include "core/knot_index.h"

namespace fastcal {

// The curve of the kernel `step_predict` for the kernel `look_up`: where it changes, from the left, and its values from there on. A value
// that holds at a knot alone ends at the next float64.
template <typename T>
class StepCurve {
 public:
  // `knots` rise strictly; `values` are 2 * knots.size() + 1.
  static bool pays_off(std::size_t scores, std::span<const double> knots) {
    constexpr double kLargest = 1e300;  // the next number is finite as well
    return !knots.empty() && -kLargest < knots.front() && knots.back() < kLargest && KnotIndex<T>::pays_off(scores, 2 * knots.size());
  }
  StepCurve(std::span<const double> knots, std::span<const double> values);

  KnotTable<T> table() const { return index_.table(); }
  const T* values() const { return values_.data(); }
  T below() const { return below_; }

 private:
  std::vector<double> changes(std::span<const double> knots, std::span<const double> values);

  std::vector<T> values_;
  T below_;
  KnotIndex<T> index_;
};

}  // namespace fastcal
