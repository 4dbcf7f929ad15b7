// isotonic.cpp -- pool adjacent violators.
//
// Invariant: blocks[0..last] cover the groups seen so far, left to right, with strictly increasing means. A new group
// enters as its own block; while the block before it is not lower, the two become one.
#include <algorithm>
#include <vector>

#include "core/calibration.h"
#include "core/check.h"
#include "core/packed_order.h"
#include "core/sort.h"

namespace fastcal {
namespace {

// Samples of one score, or a run of such groups.
struct Block {
  double first_x, last_x;
  double weighted_sum, weight;
  double mean() const { return weighted_sum / weight; }
};

// Lets the last block swallow those before it that are not lower.
void pool_last(std::vector<Block>& blocks) {
  while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() >= blocks.back().mean()) {
    const Block block = blocks.back();
    blocks.pop_back();
    Block& before = blocks.back();
    before = {before.first_x, block.last_x, before.weighted_sum + block.weighted_sum, before.weight + block.weight};
  }
}

std::vector<Block> pool_adjacent_violators(std::span<const double> scores, std::span<const double> labels, std::span<const double> weights,
                                           StopToken& stop) {
  std::vector<Block> blocks;
  Block group{};
  const auto add_group = [&] {
    if (group.weight == 0.0) return;
    blocks.push_back(group);
    pool_last(blocks);
  };
  const std::vector<std::uint32_t> order = stable_order(scores.data(), scores.size(), Order::ascending, stop);
  in_stoppable_pieces(order.size(), stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end; ++at) {
      const std::uint32_t i = order[at];
      if (weights[i] == 0.0) continue;
      const double x = scores[i] + 0.0;
      if (group.weight == 0.0 || group.last_x != x) {
        add_group();
        group = {x, x, 0.0, 0.0};
      }
      group.weighted_sum += weights[i] * labels[i];
      group.weight += weights[i];
    }
  });
  add_group();
  return blocks;
}

std::size_t write_knots(const std::vector<Block>& blocks, double* x, double* y) {
  std::size_t knots = 0;
  for (const Block& block : blocks) {
    x[knots] = block.first_x;
    y[knots++] = block.mean();
    if (block.last_x == block.first_x) continue;
    x[knots] = block.last_x;
    y[knots++] = block.mean();
  }
  return knots;
}

// Blocks of counts, pooled as late as possible: zeros join any block, ones a block of ones, without a look at the block before; only
// a block that is about to be followed by another is compared. Sums of counts are exact, and means of fewer than 2^26 pairs differ by
// more than rounding hides, so that the order of pooling does not show.
class CountPool {
 public:
  void add(double x, double sum, double weight) {
    if (open_.weight > 0.0 && (sum == 0.0 || (sum == weight && open_.weighted_sum == open_.weight))) {
      open_ = {open_.first_x, x, open_.weighted_sum + sum, open_.weight + weight};
      return;
    }
    close();
    open_ = {x, x, sum, weight};
  }
  void close() {
    if (open_.weight == 0.0) return;
    blocks_.push_back(open_);
    pool_last(blocks_);
    open_ = {};
  }
  const std::vector<Block>& blocks() const { return blocks_; }

 private:
  std::vector<Block> blocks_;
  Block open_{};
};

template <typename Sorted>
void pool_counts(const Sorted& sorted, CountPool& pool, StopToken& stop) {
  std::size_t count = 0, positive = 0;
  in_stoppable_pieces(sorted.items.size(), stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      ++count;
      positive += sorted.payload(sorted.items[i]);
      if (!sorted.last_of_score(i)) continue;
      pool.add(static_cast<double>(sorted.score(sorted.items[i])), static_cast<double>(positive), static_cast<double>(count));
      count = positive = 0;
    }
  });
  pool.close();
}

}  // namespace

template <typename T>
std::size_t isotonic_fit_labels(std::span<const T> scores, const std::uint8_t* labels, double* x, double* y, const CallContext& context) {
  constexpr std::size_t kMostPairs = std::size_t{1} << 26;
  CountPool pool;
  const auto visit = [&](const auto& sorted) { pool_counts(sorted, pool, context.stop); };
  if (scores.size() < kMostPairs && in_labelled_order(scores, labels, Order::ascending, context, y, visit))
    return write_knots(pool.blocks(), x, y);
  const std::vector<double> wide(scores.begin(), scores.end()), truth(labels, labels + scores.size()), ones(scores.size(), 1.0);
  return isotonic_fit(wide, truth, ones, x, y, context.stop);
}

template std::size_t isotonic_fit_labels(std::span<const float>, const std::uint8_t*, double*, double*, const CallContext&);
template std::size_t isotonic_fit_labels(std::span<const double>, const std::uint8_t*, double*, double*, const CallContext&);

std::size_t isotonic_fit(std::span<const double> scores, std::span<const double> labels, std::span<const double> weights, double* x,
                         double* y, StopToken& stop) {
  FASTCAL_ASSERT(scores.size() == labels.size() && scores.size() == weights.size());
  return write_knots(pool_adjacent_violators(scores, labels, weights, stop), x, y);
}

}  // namespace fastcal
