// bucket_sort.h -- scores packed with a payload into integers and sorted on all threads: spread over buckets of equal width, then each
// bucket sorted in the cache. Scores that crowd into few buckets go through radix.h.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "core/radix.h"

namespace fastcal {

// Buckets of equal width between two scores; the number never falls on the way from `first` to `last`, whatever is rounded.
template <typename T>
class ScoreBuckets {
 public:
  ScoreBuckets(T first, T last, std::size_t count)
      : first_(first), scale_(static_cast<T>(count) / std::abs(last - first)), last_(static_cast<std::int32_t>(count - 1)) {}
  std::size_t count() const { return static_cast<std::size_t>(last_) + 1; }
  bool usable() const { return scale_ > T{0} && std::isfinite(scale_); }
  std::int32_t operator()(T score) const { return std::min(static_cast<std::int32_t>(std::abs(score - first_) * scale_), last_); }

 private:
  T first_, scale_;
  std::int32_t last_;
};

// visit(i, bucket) of scores[begin, end) in order; the numbers are computed a block at a time, which GCC vectorises.
template <typename T, typename Visit>
void for_each_bucket(const ScoreBuckets<T>& bucket, std::span<const T> scores, std::size_t begin, std::size_t end, const Visit& visit) {
  constexpr std::size_t kBlock = 256;
  std::int32_t numbers[kBlock];
  for (; begin < end; begin += kBlock) {
    const std::size_t size = std::min(kBlock, end - begin);
    for (std::size_t i = 0; i < size; ++i) numbers[i] = bucket(scores[begin + i]);
    for (std::size_t i = 0; i < size; ++i) visit(begin + i, static_cast<std::size_t>(numbers[i]));
  }
}

// Passes of sort_bucket: an even number, so that the items end where they were.
inline constexpr int kMostBucketBits = 10;
constexpr int bucket_passes(int bits) {
  return 2 * ((bits + 2 * kMostBucketBits - 1) / (2 * kMostBucketBits));
}

template <int kPasses, typename Item>
void sort_bucket_in(Item* items, Item* spare, std::size_t n, Item origin, int low, int bits) {
  const int width = (bits + kPasses - 1) / kPasses;
  const Item mask = (Item{1} << width) - 1;
  std::uint32_t places[kPasses][std::size_t{1} << kMostBucketBits];
  for (auto& counts : places) std::fill_n(counts, std::size_t{1} << width, 0U);
  for (std::size_t i = 0; i < n; ++i) {
    const Item distance = (items[i] - origin) >> low;
    for (int pass = 0; pass < kPasses; ++pass) ++places[pass][(distance >> (pass * width)) & mask];
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    std::uint32_t sum = 0;
    for (std::size_t d = 0; d <= mask; ++d) sum += std::exchange(places[pass][d], sum);
    const int shift = low + pass * width;
    for (std::size_t i = 0; i < n; ++i) spare[places[pass][((items[i] - origin) >> shift) & mask]++] = items[i];
    std::swap(items, spare);
  }
}

// Sorts by the bits from `low` on; stable. For items that fit, with the spare room, into the cache.
template <typename Item>
void sort_bucket(Item* items, Item* spare, std::size_t n, int low) {
  Item least = std::numeric_limits<Item>::max(), most = 0;
  for (std::size_t i = 0; i < n; ++i) {
    least = std::min(least, items[i]);
    most = std::max(most, items[i]);
  }
  if (n < 2 || least >> low == most >> low) return;
  const Item origin = least >> low << low;
  const int bits = static_cast<int>(std::bit_width(static_cast<Item>((most - origin) >> low)));
  switch (bucket_passes(bits)) {
    case 2:
      return sort_bucket_in<2>(items, spare, n, origin, low, bits);
    case 4:
      return sort_bucket_in<4>(items, spare, n, origin, low, bits);
    case 6:
      return sort_bucket_in<6>(items, spare, n, origin, low, bits);
    default:
      return sort_bucket_in<8>(items, spare, n, origin, low, bits);
  }
}

// Where each piece puts its pairs of each bucket, and where buckets start and end; empty if too many pairs share one bucket.
struct BucketPlaces {
  std::vector<std::uint32_t> of_piece, starts;
};

template <typename T>
BucketPlaces count_buckets(const ScoreBuckets<T>& bucket, std::span<const T> scores, const CallContext& context) {
  const std::size_t pieces = sort_pieces(scores.size()), buckets = bucket.count();
  BucketPlaces places{std::vector<std::uint32_t>(pieces * buckets), {0}};
  for_each_sort_piece(scores.size(), context, [&](std::size_t piece, std::size_t begin, std::size_t end) {
    std::uint32_t* const counts = places.of_piece.data() + piece * buckets;
    for_each_bucket(bucket, scores, begin, end, [counts](std::size_t, std::size_t b) { ++counts[b]; });
  });
  std::uint32_t sum = 0;
  for (std::size_t b = 0; b < buckets; ++b) {
    for (std::size_t piece = 0; piece < pieces; ++piece) sum += std::exchange(places.of_piece[piece * buckets + b], sum);
    if (sum - places.starts.back() > kSortPiece) return {};
    places.starts.push_back(sum);
  }
  return places;
}

// Writes pack(i), i < n < 2^32, to `items`, sorted by the bits [low, high), which rise with the bucket of scores[i]. Stable; `spare` has
// room for n items as well.
template <typename T, typename Item, typename Pack>
void bucket_sort(std::span<const T> scores, T first, T last, const Pack& pack, int low, int high, Item* items, Item* spare,
                 const CallContext& context) {
  constexpr std::size_t kFewest = std::size_t{1} << 15, kPairsPerBucket = 4096, kMostBuckets = std::size_t{1} << 13;
  const std::size_t n = scores.size();
  const ScoreBuckets<T> bucket(first, last, std::min(kMostBuckets, std::bit_ceil(n / kPairsPerBucket + 1)));
  auto [of_piece, starts] = n >= kFewest && bucket.usable() ? count_buckets(bucket, scores, context) : BucketPlaces{};
  if (starts.empty()) {
    for_each_sort_piece(n, context, [&](std::size_t, std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) items[i] = pack(i);
    });
    if (radix_sort(items, spare, n, low, high, context) == items) return;
    return for_each_sort_piece(
        n, context, [&](std::size_t, std::size_t begin, std::size_t end) { std::copy(spare + begin, spare + end, items + begin); });
  }
  for_each_sort_piece(n, context, [&, places = of_piece.data()](std::size_t piece, std::size_t begin, std::size_t end) {
    std::uint32_t* const place = places + piece * bucket.count();
    for_each_bucket(bucket, scores, begin, end, [&](std::size_t i, std::size_t b) { items[place[b]++] = pack(i); });
  });
  for_each_sort_piece(n, context, [&, &bounds = starts](std::size_t, std::size_t begin, std::size_t end) {
    for (auto at = std::lower_bound(bounds.begin(), bounds.end(), begin); at + 1 < bounds.end() && *at < end; ++at)
      sort_bucket(items + *at, spare + *at, at[1] - *at, low);
  });
}

}  // namespace fastcal
