// grouped.h -- rows of a table that belong to groups, as candidates belong to queries: numbered, ranked within their group, summed up.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <variant>

#include "core/parallel.h"

namespace fastcal {

// One integer a row.
struct IntegerKeys {
  static constexpr bool kHashIsKey = true;
  const std::int64_t* values;

  int compare(std::size_t i, std::size_t j) const { return (values[i] > values[j]) - (values[i] < values[j]); }
  std::uint64_t hash(std::size_t i) const {  // a bijection: the finalizer of splitmix64
    auto x = static_cast<std::uint64_t>(values[i]);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }
};

// One text a row, bytes [offsets[i], offsets[i + 1]), in the order of its bytes: that of its code points where they are UTF-8.
template <typename Offset>
struct TextKeys {
  static constexpr bool kHashIsKey = false;
  const Offset* offsets;
  const char* bytes;

  const char* begin(std::size_t i) const { return bytes + offsets[i]; }
  std::size_t size(std::size_t i) const { return static_cast<std::size_t>(offsets[i + 1] - offsets[i]); }
  int compare(std::size_t i, std::size_t j) const {
    const std::size_t a = size(i), b = size(j), both = std::min(a, b);
    const int order = both == 0 ? 0 : std::memcmp(begin(i), begin(j), both);
    return order != 0 ? order : (a > b) - (a < b);
  }
  std::uint64_t hash(std::size_t i) const {
    const char* at = begin(i);
    std::size_t left = size(i);
    std::uint64_t h = 0x9e3779b97f4a7c15u ^ left, word = 0;
    for (; left >= sizeof word; left -= sizeof word, at += sizeof word) {
      std::memcpy(&word, at, sizeof word);
      h = mixed(h, word);
    }
    word = 0;
    if (left > 0) std::memcpy(&word, at, left);
    return mixed(h, word);
  }

 private:
  static std::uint64_t mixed(std::uint64_t h, std::uint64_t word) {
    h = (h ^ word) * 0xff51afd7ed558ccdu;
    return h ^ (h >> 32);
  }
};

using RowKeys = std::variant<IntegerKeys, TextKeys<std::int32_t>, TextKeys<std::int64_t>>;

// Rows are counted in 32 bits.
inline constexpr std::size_t kMostRows = std::numeric_limits<std::int32_t>::max();

// codes[i] is the rank of row i's key among the distinct keys, firsts[c] the first row with that of rank c. Returns how many there are.
std::size_t number_rows(const RowKeys& keys, std::size_t n, std::int32_t* codes, std::int32_t* firsts, StopToken& stop);

// What a row is ranked by within its group: `on`, descending; then the better score; then the lower document; then the earlier row.
// A row that is not kept, or whose `on` or score is NaN, has no place.
struct Ranking {
  std::span<const std::int32_t> codes;  // below `groups`
  std::size_t groups;
  const float* on;
  const float* scores;
  bool higher_is_better;
  const std::uint8_t* keep;  // may be null
  RowKeys docs;
};

// Writes the best `most` rows of each group, groups ascending, best first; returns how many in all.
std::size_t top_rows(const Ranking& ranking, std::size_t most, std::int32_t* out, const CallContext& context);

// Per query, room for `room` keys (ranking_key.h) of rows it has had, more than `depth`. Whenever it is full the best `depth` stay, and the
// least of them is the bar from then on: a row below it is not among the best `depth` of all. A bar of 0 stops nothing.
struct BestSoFar {
  std::size_t depth, room;
  std::uint64_t *bars, *keys;
  std::int32_t* sizes;
};

// Shows the rows in `keep` to their query, at places[code] of `best` (-1: of no account), and takes those below its bar out of `keep`, as
// well as those that have no place in the ranking. Returns how many it leaves.
std::size_t sift_rows(const Ranking& ranking, const std::int64_t* places, const BestSoFar& best, std::uint8_t* keep, StopToken& stop);

// Two's complement integers, least significant word first: sums of scores in units of 2^-149, of their squares in units of 2^-298. With
// 2^63 summands either still has a bit to spare.
inline constexpr std::size_t kSumWords = 6, kSquareWords = 10;

// Of each group, NaN left out: how many, the least and the greatest (infinity and -infinity of none), and the exact sums; `sums` or
// `squares` may be null. Returns the first infinite score, or -1.
struct GroupMoments {
  std::int64_t* counts;
  float *least, *greatest;
  std::uint64_t *sums, *squares;
};
std::int64_t exact_moments(std::span<const std::int32_t> codes, const float* scores, std::size_t groups, const GroupMoments& out,
                           StopToken& stop);

}  // namespace fastcal
