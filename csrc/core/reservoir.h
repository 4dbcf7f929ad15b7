// reservoir.h -- uniform samples without replacement that do not depend on the order of the rows.
//
// Every row has a 64-bit priority, and a sample of n is the n rows of smallest priority. The priorities of a query are the
// outputs of one splitmix64 generator, numbered by row: no two rows share one (docs/numerics.md).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/splitmix64.h"

namespace fastcal {

// The state of the generator whose output number r is the priority of row r.
inline std::uint64_t priority_state(std::uint64_t seed, std::uint64_t query) {
  return splitmix64(splitmix64(seed, 0), query);
}

struct Sampled {
  std::uint64_t priority;
  std::int64_t row;
};

// Collects up to 2 size + kSlack rows below the bar, then keeps the `size` best: amortised O(1) a row.
class Reservoir {
 public:
  explicit Reservoir(std::size_t size) : size_(size) {}

  void offer(std::uint64_t priority, std::int64_t row) {
    if (priority > bar_) return;
    rows_.push_back({priority, row});
    if (rows_.size() >= 2 * size_ + kSlack) keep_best();
  }

  void absorb(const Reservoir& other) {
    for (const Sampled& sampled : other.rows_) offer(sampled.priority, sampled.row);
  }

  // By priority; at most `size`.
  const std::vector<Sampled>& sorted() {
    keep_best();
    std::sort(rows_.begin(), rows_.end(), smaller);
    return rows_;
  }

  static std::size_t bytes(std::size_t size) { return sizeof(Reservoir) + (2 * size + kSlack) * sizeof(Sampled); }

 private:
  static constexpr std::size_t kSlack = 16;
  static bool smaller(const Sampled& a, const Sampled& b) { return a.priority < b.priority; }

  void keep_best() {
    if (rows_.size() <= size_) return;
    const auto last = rows_.begin() + static_cast<std::ptrdiff_t>(size_ - 1);
    std::nth_element(rows_.begin(), last, rows_.end(), smaller);
    bar_ = last->priority;
    rows_.resize(size_);
  }

  std::size_t size_;
  std::uint64_t bar_ = std::numeric_limits<std::uint64_t>::max();
  std::vector<Sampled> rows_;
};

}  // namespace fastcal
