// run_lists.cpp -- most lists come best first: they are looked at once and not sorted.
#include "core/run_lists.h"

#include <algorithm>

#include "core/float_env.h"
#include "core/sort.h"

namespace fastcal {
namespace {

int id_faults(const std::int64_t* ids, std::size_t n) {
  std::int64_t least = 0;
  bool padding = false;
  for (std::size_t i = 0; i < n; ++i) {
    least = std::min(least, ids[i]);
    padding |= ids[i] == -1;
  }
  return (padding ? kPadding : 0) | (least < -1 ? kNegativeId : 0);
}

// Of scores[0, n), and of each one and its neighbour in the order that says "not worse".
template <typename Worse>
int score_faults(const float* scores, std::size_t n, const Worse& worse) {
  bool not_a_number = false, out_of_order = false;
  for (std::size_t i = 0; i < n; ++i) not_a_number |= scores[i] != scores[i];
  for (std::size_t i = 1; i < n; ++i) out_of_order |= worse(scores[i - 1], scores[i]);
  return (not_a_number ? kNotANumber : 0) | (out_of_order ? kOutOfOrder : 0);
}

int score_faults(const float* scores, std::size_t n, bool higher_is_better) {
  return higher_is_better ? score_faults(scores, n, [](float before, float after) { return before < after; })
                          : score_faults(scores, n, [](float before, float after) { return before > after; });
}

}  // namespace

int list_faults(const std::int64_t* ids, const float* scores, Offsets offsets, bool higher_is_better, StopToken& stop) {
  const FloatEnvironment environment;
  const std::size_t n = static_cast<std::size_t>(offsets.back());
  int faults = 0;
  in_stoppable_pieces(n, stop, [&](std::size_t begin, std::size_t end) { faults |= id_faults(ids + begin, end - begin); });
  if (scores == nullptr) return faults;
  for (std::size_t list = 1; list < offsets.size(); ++list) {
    const std::size_t start = static_cast<std::size_t>(offsets[list - 1]), stop_at = static_cast<std::size_t>(offsets[list]);
    in_stoppable_pieces(stop_at - start, stop, [&](std::size_t begin, std::size_t end) {
      const std::size_t from = begin > 0 ? begin - 1 : 0;  // pieces meet in one score
      faults |= score_faults(scores + start + from, end - from, higher_is_better);
    });
  }
  return faults;
}

void sort_lists(const std::int64_t* ids, const float* scores, Offsets offsets, bool higher_is_better, std::int64_t* out_ids,
                float* out_scores, const CallContext& context) {
  const Order order = higher_is_better ? Order::descending : Order::ascending;
  parallel_for(offsets.size() - 1, context, [&](std::size_t list, std::size_t) {
    const std::size_t start = static_cast<std::size_t>(offsets[list]), n = static_cast<std::size_t>(offsets[list + 1]) - start;
    if ((score_faults(scores + start, n, higher_is_better) & kOutOfOrder) == 0) {
      std::copy_n(ids + start, n, out_ids + start);
      std::copy_n(scores + start, n, out_scores + start);
      return;
    }
    const std::vector<std::uint32_t> positions = stable_order(scores + start, n, order, context.stop);
    for (std::size_t i = 0; i < n; ++i) {
      out_ids[start + i] = ids[start + positions[i]];
      out_scores[start + i] = scores[start + positions[i]];
    }
  });
}

}  // namespace fastcal
