// threshold_sweep.cpp -- cumulative counts over scores sorted best first.
#include <algorithm>
#include <vector>

#include "core/calibration.h"
#include "core/packed_order.h"

namespace fastcal {
namespace {

// Entries and positives of a piece, then of all pieces before it.
struct Tally {
  std::size_t distinct, positive;
};

template <typename Sorted>
std::vector<Tally> tallies_before(const Sorted& sorted, const CallContext& context) {
  const std::size_t n = sorted.items.size();
  std::vector<Tally> tallies(sort_pieces(n) + 1);
  for_each_sort_piece(n, context, [&](std::size_t piece, std::size_t begin, std::size_t end) {
    std::uint32_t distinct = end == n, positive = sorted.payload(sorted.items[end - 1]);
    for (std::size_t i = begin; i < end - 1; ++i) positive += sorted.payload(sorted.items[i]);
    for (std::size_t i = begin; i < std::min(end, n - 1); ++i) distinct += !sorted.same_score(sorted.items[i], sorted.items[i + 1]);
    tallies[piece] = {distinct, positive};
  });
  Tally before{0, 0};
  for (Tally& tally : tallies) {
    const Tally own = std::exchange(tally, before);
    before = {before.distinct + own.distinct, before.positive + own.positive};
  }
  return tallies;
}

// Totals at the last pairs of some scores, in order.
struct Counts {
  static constexpr std::size_t kMost = 512;
  std::size_t n;
  double selected[kMost], positive[kMost];
};

// Without weights every total is a count: pieces are counted, then written on all threads at the places that follow, a few entries at a
// time. put(at, counts, all positives).
template <typename Sorted, typename T, typename Put>
std::size_t write_counts(const Sorted& sorted, T* thresholds, std::int64_t* selected, const CallContext& context, const Put& put) {
  const std::size_t n = sorted.items.size();
  const std::vector<Tally> tallies = tallies_before(sorted, context);
  for_each_sort_piece(n, context, [&](std::size_t piece, std::size_t begin, std::size_t end) {
    auto [at, positive] = tallies[piece];
    Counts counts;
    for (std::size_t done = begin; done < end;) {
      const std::size_t block = std::min(end, done + Counts::kMost);
      std::size_t places[Counts::kMost], size = 0;
      for (; done < block; ++done) {  // a place is overwritten until the last pair of a score
        positive += sorted.payload(sorted.items[done]);
        places[size] = done;
        counts.positive[size] = static_cast<double>(positive);
        size += sorted.last_of_score(done);
      }
      for (std::size_t i = 0; i < size; ++i) thresholds[at + i] = sorted.score(sorted.items[places[i]]);
      for (std::size_t i = 0; i < size; ++i) {
        selected[at + i] = static_cast<std::int64_t>(places[i] + 1);
        counts.selected[i] = static_cast<double>(selected[at + i]);
      }
      counts.n = size;
      put(at, counts, tallies.back().positive);
      at += size;
    }
  });
  return tallies.back().distinct;
}

// Weights are gathered in order on all threads and added up one after the other; an entry never lies behind the pairs it sums up.
template <typename Sorted, typename T>
std::size_t write_weights(const Sorted& sorted, const std::uint8_t* labels, const double* weights, T* thresholds, const SweepOutput& out,
                          const CallContext& context) {
  const std::size_t n = sorted.items.size();
  for_each_sort_piece(n, context, [&](std::size_t, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint32_t pair = sorted.payload(sorted.items[i]);
      out.weight[i] = weights[pair];
      out.positive[i] = labels[pair] != 0 ? weights[pair] : 0.0;
    }
  });
  std::size_t distinct = 0;
  double weight = 0.0, positive = 0.0;
  in_stoppable_pieces(n, context.stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      weight += out.weight[i];
      positive += out.positive[i];
      thresholds[distinct] = sorted.score(sorted.items[i]);
      out.selected[distinct] = static_cast<std::int64_t>(i + 1);
      out.weight[distinct] = weight;
      out.positive[distinct] = positive;
      distinct += sorted.last_of_score(i);
    }
  });
  return distinct;
}

// Scores further apart than packed integers can tell, on one thread.
template <typename T>
std::size_t write_far_apart(std::span<const T> scores, const std::uint8_t* labels, const double* weights, T* thresholds,
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
  const auto put = [&out](std::size_t at, const Counts& counts, std::size_t) {
    std::copy_n(counts.selected, counts.n, out.weight + at);
    std::copy_n(counts.positive, counts.n, out.positive + at);
  };
  const auto count = [&](const auto& sorted) { distinct = write_counts(sorted, thresholds, out.selected, context, put); };
  const auto weigh = [&](const auto& sorted) { distinct = write_weights(sorted, labels, weights, thresholds, out, context); };
  const bool packed = weights == nullptr ? in_labelled_order(scores, labels, Order::descending, context, out.positive, count)
                                         : in_position_order(scores, Order::descending, context, out.positive, weigh);
  return packed ? distinct : write_far_apart(scores, labels, weights, thresholds, out, context.stop);
}

std::size_t threshold_rates(std::span<const float> scores, const std::uint8_t* labels, float* thresholds, const RatesOutput& out,
                            const CallContext& context) {
  if (scores.empty()) return 0;
  std::size_t distinct = 0;
  const auto put = [&out](std::size_t at, const Counts& counts, std::size_t all) {
    const double total = static_cast<double>(all), relevant = all > 0 ? total : 1.0;
    for (std::size_t i = 0; i < counts.n; ++i) {
      out.precision[at + i] = counts.positive[i] / counts.selected[i];
      out.recall[at + i] = counts.positive[i] / relevant;
      out.f1[at + i] = counts.positive[i] / (counts.selected[i] / 2 + total / 2);
    }
  };
  in_labelled_order(scores, labels, Order::descending, context, out.f1,
                    [&](const auto& sorted) { distinct = write_counts(sorted, thresholds, out.selected, context, put); });
  return distinct;
}

template std::size_t threshold_sweep(std::span<const float>, const std::uint8_t*, const double*, float*, const SweepOutput&,
                                     const CallContext&);
template std::size_t threshold_sweep(std::span<const double>, const std::uint8_t*, const double*, double*, const SweepOutput&,
                                     const CallContext&);

}  // namespace fastcal
