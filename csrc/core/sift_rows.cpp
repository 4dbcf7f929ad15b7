// sift_rows.cpp -- rows that come in any order, against the best that their query has had so far.
#include <functional>

#include "core/grouped.h"
#include "core/ranking_key.h"

namespace fastcal {
namespace {

// Puts `key` in the place of the worst one.
void replace_top(std::uint64_t* heap, std::size_t size, std::uint64_t key) {
  std::size_t hole = 0;
  for (std::size_t child = 1; child < size; child = 2 * hole + 1) {
    if (child + 1 < size) child += heap[child + 1] < heap[child];
    if (key <= heap[child]) break;
    heap[hole] = heap[child];
    hole = child;
  }
  heap[hole] = key;
}

void take(const BestSoFar& best, std::size_t place, std::uint64_t key) {
  std::uint64_t* const heap = best.heaps + place * best.depth;
  auto size = static_cast<std::size_t>(best.sizes[place]);
  if (size < best.depth) {
    heap[size++] = key;
    std::push_heap(heap, heap + size, std::greater<>());
    best.sizes[place] = static_cast<std::int32_t>(size);
  } else {
    replace_top(heap, size, key);
  }
  if (size == best.depth) best.bars[place] = heap[0];
}

}  // namespace

std::size_t sift_rows(const Ranking& ranking, const std::int64_t* places, const BestSoFar& best, std::uint8_t* keep, StopToken& stop) {
  const RankingKey key_of{ranking.higher_is_better};
  std::size_t left = 0;
  in_stoppable_pieces(ranking.codes.size(), stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      if (keep[i] == 0) continue;
      keep[i] = RankingKey::has_one(ranking.on[i], ranking.scores[i]);
      const std::int64_t place = places[ranking.codes[i]];
      if (keep[i] != 0 && place >= 0) {
        const auto at = static_cast<std::size_t>(place);
        const std::uint64_t key = key_of(ranking.on[i], ranking.scores[i]);
        keep[i] = key >= best.bars[at];
        if (key > best.bars[at]) take(best, at, key);
      }
      left += keep[i];
    }
  });
  return left;
}

}  // namespace fastcal
