// search_plan.h -- how a scan over rows is cut into tasks, and how it remembers the first bad row.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>

#include "core/corpus.h"

namespace fastcal {

// A task is a whole number of row blocks and about a millisecond of work: long enough to be worth handing out, short
// enough for stop requests. Cost model: 4 multiply-adds a nanosecond, or 8 bytes read a nanosecond.
struct ScanPlan {
  std::size_t block;     // rows per kernel call
  std::size_t per_task;  // rows per task
  std::size_t n_tasks;
  double nanoseconds;  // of the whole scan

  ScanPlan(std::size_t n_rows, std::size_t dim, std::size_t n_queries) : block(block_rows(dim)) {
    const double row_nanoseconds = static_cast<double>(dim) * (0.5 + 0.25 * static_cast<double>(n_queries));
    const auto wanted = static_cast<std::size_t>(1e6 / row_nanoseconds) / block * block;
    per_task = std::max(block, wanted);
    n_tasks = (n_rows + per_task - 1) / per_task;
    nanoseconds = row_nanoseconds * static_cast<double>(n_rows);
  }
};

// No cosine is larger, rounding included: one that is was computed with a norm that its row no longer has.
inline bool impossible(Metric metric, float key) {
  return metric == Metric::cosine && key > 1.0f + 0x1p-16f;
}

// Raises a key that several threads share.
inline void raise_to(std::atomic<float>& highest, float key) {
  float seen = highest.load(std::memory_order_relaxed);
  while (seen < key && !highest.compare_exchange_weak(seen, key, std::memory_order_relaxed)) {
  }
}

// The smallest bad row over all threads. Tasks behind a known bad row may be skipped: they cannot lower it.
class FirstBad {
 public:
  bool before(std::size_t row) const { return first_.load(std::memory_order_relaxed) < static_cast<std::int64_t>(row); }
  void report(std::size_t row) {
    std::int64_t seen = first_.load(std::memory_order_relaxed);
    const auto bad = static_cast<std::int64_t>(row);
    while (bad < seen && !first_.compare_exchange_weak(seen, bad, std::memory_order_relaxed)) {
    }
  }
  // -1 if none.
  std::int64_t get() const {
    const std::int64_t first = first_.load(std::memory_order_relaxed);
    return first == kNone ? -1 : first;
  }

 private:
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
  std::atomic<std::int64_t> first_{kNone};
};

}  // namespace fastcal
