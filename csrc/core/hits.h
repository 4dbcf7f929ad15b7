// hits.h -- what a search collects: the best k of a stream, or all that reach a floor. Neither depends on how the stream was cut.
#pragma once

#include <algorithm>
#include <atomic>
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
  static constexpr bool kBoundMoves = true;

  explicit TopK(std::size_t k, float floor = -std::numeric_limits<float>::infinity()) : k_(k), worst_{floor, 0} {}

  // Scores below this key cannot enter; equal ones may, by id.
  float bound() const { return worst_.key; }

  void push(const Hit& hit) {
    if (full_ ? !better(hit, worst_) : hit.key < worst_.key) return;
    hits_.push_back(hit);
    if (hits_.size() >= 2 * k_ + kSlack) keep_best();
  }

  // The bound after the candidates at hand, for scans whose next rows depend on it: kept within k/8 pushes of the truth.
  float tightened_bound() {
    if (hits_.size() >= k_ + std::max<std::size_t>(1, k_ / 8))
      keep_best();
    else if (hits_.size() == k_)
      become_full(*std::max_element(hits_.begin(), hits_.end(), better));
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

  void become_full(const Hit& kth) {
    worst_ = kth;
    full_ = true;
  }

  void keep_best() {
    if (hits_.size() <= k_) return;
    const auto kth = hits_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(hits_.begin(), kth, hits_.end(), better);
    become_full(*kth);
    hits_.resize(k_);
  }

  std::size_t k_;
  Hit worst_;
  bool full_ = false;
  std::vector<Hit> hits_;
};

// How many hits a range search has found over all queries and threads; those beyond `limit` are counted, not kept.
struct HitBudget {
  std::size_t limit;
  std::atomic<std::size_t> found{0};
};

class AllAbove {
 public:
  static constexpr bool kBoundMoves = false;

  AllAbove(float floor, HitBudget& budget) : floor_(floor), budget_(&budget) {}

  float bound() const { return floor_; }
  float tightened_bound() const { return floor_; }

  void push(const Hit& hit) {
    if (hit.key < floor_) return;
    if (budget_->found.fetch_add(1, std::memory_order_relaxed) < budget_->limit) hits_.push_back(hit);
  }

  void absorb(AllAbove& other) {
    hits_.insert(hits_.end(), other.hits_.begin(), other.hits_.end());
    other.hits_ = {};
  }

  const std::vector<Hit>& sorted() {
    std::sort(hits_.begin(), hits_.end(), better);
    return hits_;
  }

 private:
  float floor_;
  HitBudget* budget_;
  std::vector<Hit> hits_;
};

}  // namespace fastcal
