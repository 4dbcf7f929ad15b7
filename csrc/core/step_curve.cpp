// step_curve.cpp -- from values below, at and above each knot to values from a score on.
#include "core/step_curve.h"

#include <cmath>
#include <limits>

#include "core/check.h"

namespace fastcal {

template <typename T>
std::vector<double> StepCurve<T>::changes(std::span<const double> knots, std::span<const double> values) {
  FASTCAL_ASSERT(!knots.empty() && values.size() == 2 * knots.size() + 1);
  std::vector<double> from;
  double last = values[0];
  const auto add = [&](double score, double value) {
    if (value == last && !from.empty()) return;
    from.push_back(score);
    values_.push_back(static_cast<T>(value));
    last = value;
  };
  for (std::size_t i = 0; i < knots.size(); ++i) {
    add(knots[i], values[2 * i + 1]);
    add(std::nextafter(knots[i], std::numeric_limits<double>::infinity()), values[2 * i + 2]);
  }
  return from;
}

template <typename T>
StepCurve<T>::StepCurve(std::span<const double> knots, std::span<const double> values)
    : below_(static_cast<T>(values[0])), index_(changes(knots, values)) {}

template class StepCurve<float>;
template class StepCurve<double>;

}  // namespace fastcal
