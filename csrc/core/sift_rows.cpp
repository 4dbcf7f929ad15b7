// sift_rows.cpp -- rows that come in any order, against the best that their query has had so far.
#include <functional>

#include "core/grouped.h"
#include "core/ranking_key.h"

namespace fastcal {
namespace {

void take(const BestSoFar& best, std::size_t place, std::uint64_t key) {
  std::uint64_t* const keys = best.keys + place * best.room;
  std::int32_t& size = best.sizes[place];
  keys[size++] = key;
  if (static_cast<std::size_t>(size) < best.room) return;
  std::nth_element(keys, keys + best.depth - 1, keys + best.room, std::greater<>());
  best.bars[place] = keys[best.depth - 1];
  size = static_cast<std::int32_t>(best.depth);
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
