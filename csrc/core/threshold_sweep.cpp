// threshold_sweep.cpp -- cumulative counts over scores sorted best first.
#include <vector>

#include "core/calibration.h"
#include "core/labelled_order.h"
#include "core/sort.h"

namespace fastcal {
namespace {

// Entries and positives of a piece, then of all pieces before it.
struct Tally {
  std::size_t distinct, positive;
};

// Without weights every total is a count: pieces are counted, then written on all threads at the places that follow.
template <typename T, typename Item>
std::size_t write_counts(const LabelledOrder<T, Item>& sorted, T* thresholds, const SweepOutput& out, const CallContext& context) {
  const std::size_t n = sorted.items.size();
  std::vector<Tally> tallies(sort_pieces(n) + 1);
  for_each_sort_piece(n, context, [&](std::size_t piece, std::size_t begin, std::size_t end) {
    Tally tally{0, 0};
    for (std::size_t i = begin; i < end; ++i) {
      tally.distinct += sorted.last_of_score(i);
      tally.positive += sorted.label(sorted.items[i]);
    }
    tallies[piece] = tally;
  });
  Tally before{0, 0};
  for (Tally& tally : tallies) {
    const Tally own = std::exchange(tally, before);
    before = {before.distinct + own.distinct, before.positive + own.positive};
  }
  for_each_sort_piece(n, context, [&](std::size_t piece, std::size_t begin, std::size_t) {
    auto [at, positive] = tallies[piece];
    // An entry is overwritten until the last pair of its score; what follows the piece's last entry belongs to the next piece.
    for (std::size_t i = begin; at < tallies[piece + 1].distinct; ++i) {
      positive += sorted.label(sorted.items[i]);
      thresholds[at] = sorted.score(sorted.items[i]);
      out.selected[at] = static_cast<std::int64_t>(i + 1);
      out.weight[at] = static_cast<double>(i + 1);
      out.positive[at] = static_cast<double>(positive);
      at += sorted.last_of_score(i);
    }
  });
  return before.distinct;
}

template <typename T>
std::size_t write_weights(std::span<const T> scores, const std::uint8_t* labels, const double* weights, T* thresholds,
                          const SweepOutput& out, StopToken& stop) {
  std::size_t distinct = 0;
  std::int64_t selected = 0;
  double weight = 0.0, positive = 0.0;
  const std::vector<std::uint32_t> order = stable_order(scores.data(), scores.size(), Order::descending, stop);
  in_stoppable_pieces(order.size(), stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end; ++at) {
      const std::uint32_t i = order[at];
      const T score = scores[i] + T{0};
      if (distinct == 0 || thresholds[distinct - 1] != score) thresholds[distinct++] = score;
      const double w = weights != nullptr ? weights[i] : 1.0;
      ++selected;
      weight += w;
      positive += labels[i] != 0 ? w : 0.0;
      out.selected[distinct - 1] = selected;
      out.weight[distinct - 1] = weight;
      out.positive[distinct - 1] = positive;
    }
  });
  return distinct;
}

}  // namespace

template <typename T>
std::size_t threshold_sweep(std::span<const T> scores, const std::uint8_t* labels, const double* weights, T* thresholds,
                            const SweepOutput& out, const CallContext& context) {
  if (scores.empty()) return 0;
  std::size_t distinct = 0;
  const auto write = [&](const auto& sorted) { distinct = write_counts(sorted, thresholds, out, context); };
  if (weights == nullptr && in_labelled_order(scores, labels, Order::descending, context, write)) return distinct;
  return write_weights(scores, labels, weights, thresholds, out, context.stop);
}

template std::size_t threshold_sweep(std::span<const float>, const std::uint8_t*, const double*, float*, const SweepOutput&,
                                     const CallContext&);
template std::size_t threshold_sweep(std::span<const double>, const std::uint8_t*, const double*, double*, const SweepOutput&,
                                     const CallContext&);

}  // namespace fastcal
