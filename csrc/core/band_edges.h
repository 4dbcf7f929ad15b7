// band_edges.h -- band edges in the order of keys: how many of them does a score reach?
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "core/sketch.h"

namespace fastcal {

// n edges make n - 1 bins [e0, e1), [e1, e2), ... of which the last is closed. A key (a score, or minus a distance) reaches an
// ascending list of n cuts: for scores, cut i is edge i, and the last cut is the float32 behind the last edge, so that those who
// reach it have left the last bin. For distances the same holds from the far end: a key reaches the cut of an edge if the
// distance is below it, or at the last edge at most equal to it. A cut that no key reaches is NaN; such cuts come last.
class BandEdges {
 public:
  BandEdges(Metric metric, const float* edges, std::size_t n) : sign_(metric == Metric::euclidean ? -1.0f : 1.0f), n_(n) {
    for (std::size_t i = 0; i < n; ++i) cuts_.push_back(sign_ < 0 ? near_cut(edges[n - 1 - i], i == 0) : far_cut(edges[i], i == n - 1));
    cuts_.resize(std::bit_ceil(n + 1) - 1, std::numeric_limits<float>::quiet_NaN());
  }

  std::size_t size() const { return n_; }
  std::size_t bins() const { return n_ - 1; }
  float cut(std::size_t i) const { return cuts_[i]; }
  float key(float score) const { return sign_ * score; }

  // In 0..n; 0 and n are outside all bins.
  std::size_t reached(float score) const {
    const float v = key(score);
    std::size_t count = 0;
    for (std::size_t step = (cuts_.size() + 1) / 2; step > 0; step /= 2) count += cuts_[count + step - 1] <= v ? step : 0;
    return count;
  }
  bool inside(std::size_t reached) const { return reached - 1 < bins(); }
  std::size_t bin(std::size_t reached) const { return (sign_ < 0 ? n_ - reached : reached) - 1; }
  std::size_t reached_in(std::size_t bin) const { return sign_ < 0 ? n_ - 1 - bin : bin + 1; }

 private:
  static constexpr float kInfinity = std::numeric_limits<float>::infinity();
  static float far_cut(float edge, bool last) {
    if (!last) return edge;
    return edge == kInfinity ? std::numeric_limits<float>::quiet_NaN() : std::nextafterf(edge, kInfinity);
  }
  static float near_cut(float edge, bool last) {
    const float cut = last ? -edge : std::nextafterf(-edge, kInfinity);
    return cut > 0 ? std::numeric_limits<float>::quiet_NaN() : cut;
  }

  float sign_;
  std::size_t n_;
  std::vector<float> cuts_;  // padded with NaN to 2^m - 1
};

}  // namespace fastcal
