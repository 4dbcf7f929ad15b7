// isotonic.cpp -- pool adjacent violators.
//
// Invariant: blocks[0..last] cover the groups seen so far, left to right, with strictly increasing means. A new group
// enters as its own block; while the block before it is not lower, the two become one.
#include <algorithm>
#include <vector>

#include "core/calibration.h"
#include "core/check.h"
#include "core/sort.h"

namespace fastcal {
namespace {

// Samples of one score, or a run of such groups.
struct Block {
  double first_x, last_x;
  double weighted_sum, weight;
  double mean() const { return weighted_sum / weight; }
};

std::vector<Block> groups_of_equal_scores(std::span<const double> scores, std::span<const double> labels, std::span<const double> weights,
                                          StopToken& stop) {
  std::vector<Block> groups;
  const std::vector<std::uint32_t> order = stable_order(scores.data(), scores.size(), Order::ascending, stop);
  in_stoppable_pieces(order.size(), stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end; ++at) {
      const std::uint32_t i = order[at];
      if (weights[i] == 0.0) continue;
      const double x = scores[i] + 0.0;
      if (groups.empty() || groups.back().last_x != x) groups.push_back({x, x, 0.0, 0.0});
      groups.back().weighted_sum += weights[i] * labels[i];
      groups.back().weight += weights[i];
    }
  });
  return groups;
}

void pool_adjacent_violators(std::vector<Block>& blocks, StopToken& stop) {
  std::size_t count = 0;
  in_stoppable_pieces(blocks.size(), stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t group = begin; group < end; ++group) {
      Block block = blocks[group];
      while (count > 0 && blocks[count - 1].mean() >= block.mean()) {
        const Block& before = blocks[--count];
        block = {before.first_x, block.last_x, before.weighted_sum + block.weighted_sum, before.weight + block.weight};
      }
      blocks[count++] = block;
    }
  });
  blocks.resize(count);
}

}  // namespace

std::size_t isotonic_fit(std::span<const double> scores, std::span<const double> labels, std::span<const double> weights, double* x,
                         double* y, StopToken& stop) {
  FASTCAL_ASSERT(scores.size() == labels.size() && scores.size() == weights.size());
  std::vector<Block> blocks = groups_of_equal_scores(scores, labels, weights, stop);
  pool_adjacent_violators(blocks, stop);
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

}  // namespace fastcal
