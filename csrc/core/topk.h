// topk.h -- the best k of a stream, in an order that does not depend on how the stream was cut.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace fastcal {

// `key` is the float32 score, negated where lower is better, so that greater is always better.
struct Hit {
  float key;
  std::int64_t id;
};

inline bool better(const Hit& a, const Hit& b) {
  return a.key > b.key || (a.key == b.key && a.id < b.id);
}

// Collects up to 2k candidates that beat the k-th best seen so far, then keeps the best k: amortised O(1) a push for
// any k, where a heap would cost log k.
class TopK {
 public:
  explicit TopK(std::size_t k) : k_(k) {}

  // Scores below this key cannot enter; equal ones may, by id.
  float bound() const { return worst_.key; }

  void push(const Hit& hit) {
    if (!better(hit, worst_)) return;
    hits_.push_back(hit);
    if (hits_.size() >= 2 * k_ + kSlack) keep_best();
  }

  // The bound after the candidates at hand, for scans whose next rows depend on it: kept within k/8 pushes of the truth.
  float tightened_bound() {
    if (hits_.size() >= k_ + std::max<std::size_t>(1, k_ / 8))
      keep_best();
    else if (hits_.size() == k_)
      worst_ = *std::max_element(hits_.begin(), hits_.end(), better);
    return worst_.key;
  }

  void absorb(const TopK& other) {
    for (const Hit& hit : other.hits_) push(hit);
  }

  // Best first; at most k.
  const std::vector<Hit>& sorted() {
    keep_best();
    std::sort(hits_.begin(), hits_.end(), better);
    return hits_;
  }

 private:
  static constexpr std::size_t kSlack = 16;

  void keep_best() {
    if (hits_.size() <= k_) return;
    const auto kth = hits_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(hits_.begin(), kth, hits_.end(), better);
    worst_ = *kth;
    hits_.resize(k_);
  }

  std::size_t k_;
  Hit worst_{-std::numeric_limits<float>::infinity(), std::numeric_limits<std::int64_t>::max()};
  std::vector<Hit> hits_;
};

}  // namespace fastcal
