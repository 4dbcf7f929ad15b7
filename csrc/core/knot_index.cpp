// knot_index.cpp -- buckets over the range of the knots.
#include "core/knot_index.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/check.h"

namespace fastcal {
namespace {

// The smallest T >= v.
template <typename T>
T rounded_up(double v) {
  const T nearest = static_cast<T>(v);
  return static_cast<double>(nearest) < v ? std::nextafter(nearest, std::numeric_limits<T>::infinity()) : nearest;
}

}  // namespace

// The expression of the kernel first_guesses: it never falls as v rises, whatever is rounded or overflows.
template <typename T>
std::size_t KnotIndex<T>::bucket_of(double v) const {
  const double bucket = (v - origin_) * scale_;
  return static_cast<std::size_t>(std::min(bucket > 0.0 ? bucket : 0.0, static_cast<double>(first_.size() - 1)));
}

template <typename T>
KnotIndex<T>::KnotIndex(std::span<const double> knots) {
  constexpr std::size_t kBucketsPerKnot = 8;
  FASTCAL_ASSERT(!knots.empty());
  first_.resize(std::bit_ceil(kBucketsPerKnot * knots.size()));
  origin_ = knots.front();
  scale_ = static_cast<double>(first_.size()) / (knots.back() - origin_);
  std::size_t crowd = 1, below = 0;  // knots in the fullest bucket, and before the current one
  for (std::size_t bucket = 0, next = 0; bucket < first_.size(); ++bucket, below = next) {
    first_[bucket] = static_cast<std::int32_t>(below == 0 ? 0 : below - 1);
    while (next < knots.size() && bucket_of(knots[next]) <= bucket) ++next;
    crowd = std::max(crowd, next - below);
  }
  step_ = static_cast<std::int32_t>(std::bit_floor(crowd));
  x_.reserve(knots.size() + 2 * static_cast<std::size_t>(step_));
  for (const double knot : knots) x_.push_back(rounded_up<T>(knot));
  x_.resize(x_.capacity(), std::numeric_limits<T>::quiet_NaN());
}

std::vector<Segment> segments_of(std::span<const double> x, std::span<const double> y) {
  std::vector<Segment> segments;
  segments.reserve(x.size() + 1);
  for (std::size_t i = 0; i + 1 < x.size(); ++i) segments.push_back({x[i], x[i + 1] - x[i], y[i], y[i + 1] - y[i]});
  segments.resize(x.size() + 1, {x.back(), 1.0, y.back(), 0.0});
  return segments;
}

template class KnotIndex<float>;
template class KnotIndex<double>;

}  // namespace fastcal
