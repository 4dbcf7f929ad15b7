// packed_order.h -- scores in order, each packed with its 0/1 label or with its position into one integer.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "core/bucket_sort.h"
#include "core/memory.h"
#include "core/sort.h"

namespace fastcal {

template <typename T>
using KeyOf = decltype(order_key(T{}));

// The inverse of order_key, which gives 0.0 for both zeros.
template <typename T>
T score_of_key(KeyOf<T> key) {
  constexpr KeyOf<T> kSign = KeyOf<T>{1} << (8 * sizeof(T) - 1);
  return std::bit_cast<T>((key & kSign) != 0 ? static_cast<KeyOf<T>>(key ^ kSign) : static_cast<KeyOf<T>>(~key));
}

// Items in order: the distance of the score's key from `origin`, the key of the first score, above kPayload bits of something else.
template <typename T, typename Item, int kPayload>
struct PackedOrder {
  std::span<const Item> items;
  KeyOf<T> origin;
  Order order;

  static std::uint32_t payload(Item item) { return static_cast<std::uint32_t>(item & ((Item{1} << kPayload) - 1)); }
  T score(Item item) const {
    const auto distance = static_cast<KeyOf<T>>(item >> kPayload);
    return score_of_key<T>(order == Order::ascending ? origin + distance : origin - distance);
  }
  static bool same_score(Item x, Item y) { return (x ^ y) >> kPayload == 0; }
  // Whether the next pair, if there is one, has another score.
  bool last_of_score(std::size_t i) const { return i + 1 == items.size() || !same_score(items[i], items[i + 1]); }
};

// The least and the greatest key.
template <typename T>
std::pair<KeyOf<T>, KeyOf<T>> key_range(std::span<const T> scores, const CallContext& context) {
  using Key = KeyOf<T>;
  std::vector<std::pair<Key, Key>> ranges(sort_pieces(scores.size()));
  for_each_sort_piece(scores.size(), context, [&](std::size_t piece, std::size_t begin, std::size_t end) {
    Key least = std::numeric_limits<Key>::max(), most = 0;
    for (std::size_t i = begin; i < end; ++i) {
      least = std::min(least, order_key(scores[i]));
      most = std::max(most, order_key(scores[i]));
    }
    ranges[piece] = {least, most};
  });
  std::pair<Key, Key> range{std::numeric_limits<Key>::max(), 0};
  for (const auto& [least, most] : ranges) range = {std::min(range.first, least), std::max(range.second, most)};
  return range;
}

template <typename Item, int kPayload, typename T, typename Payload, typename Visit>
void visit_packed(std::span<const T> scores, std::pair<KeyOf<T>, KeyOf<T>> range, Order order, const CallContext& context,
                  const Payload& payload, void* spare, const Visit& visit) {
  const auto [origin, end] = order == Order::ascending ? range : std::pair(range.second, range.first);
  const auto pack = [&, origin = origin](std::size_t i) {
    const KeyOf<T> key = order_key(scores[i]), distance = order == Order::ascending ? key - origin : origin - key;
    return static_cast<Item>(static_cast<Item>(distance) << kPayload | static_cast<Item>(payload(i)));
  };
  const Pages memory(scores.size() * sizeof(Item));
  Item* const items = reinterpret_cast<Item*>(memory.data());
  const int high = kPayload + static_cast<int>(std::bit_width(static_cast<KeyOf<T>>(range.second - range.first)));
  bucket_sort(scores, score_of_key<T>(origin), score_of_key<T>(end), pack, kPayload, high, items, static_cast<Item*>(spare), context);
  visit(PackedOrder<T, Item, kPayload>{{items, scores.size()}, origin, order});
}

// visit(PackedOrder) of one or more pairs without NaN, the payload a label; false, and no visit, if some distance has more than 63 bits.
// `spare` is written over before the visit: 8 aligned bytes a pair.
template <typename T, typename Visit>
bool in_labelled_order(std::span<const T> scores, const std::uint8_t* labels, Order order, const CallContext& context, void* spare,
                       const Visit& visit) {
  const auto range = key_range(scores, context);
  const auto label = [labels](std::size_t i) { return labels[i] != 0; };
  const int bits = 1 + static_cast<int>(std::bit_width(static_cast<KeyOf<T>>(range.second - range.first)));
  if (bits > 64) return false;
  if (bits > 32) {
    visit_packed<std::uint64_t, 1>(scores, range, order, context, label, spare, visit);
  } else {
    visit_packed<std::uint32_t, 1>(scores, range, order, context, label, spare, visit);
  }
  return true;
}

// The same of fewer than 2^32 pairs in the order of stable_order, the payload a position; not if some distance has more than 32 bits.
template <typename T, typename Visit>
bool in_position_order(std::span<const T> scores, Order order, const CallContext& context, void* spare, const Visit& visit) {
  const auto range = key_range(scores, context);
  if (std::bit_width(static_cast<KeyOf<T>>(range.second - range.first)) > 32) return false;
  visit_packed<std::uint64_t, 32>(scores, range, order, context, [](std::size_t i) { return i; }, spare, visit);
  return true;
}

}  // namespace fastcal
