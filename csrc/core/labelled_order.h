// labelled_order.h -- scores and their 0/1 labels in order, each pair packed into one integer: what counts do not ask for, which
// pair it was, is not carried along.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/memory.h"
#include "core/radix.h"
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

// Pairs in order: 2 * distance + label, the distance being that of the score's key from `origin`, the key of the first score.
template <typename T, typename Item>
struct LabelledOrder {
  std::span<const Item> items;
  KeyOf<T> origin;
  Order order;

  static Item label(Item item) { return item & 1; }
  T score(Item item) const {
    const auto distance = static_cast<KeyOf<T>>(item >> 1);
    return score_of_key<T>(order == Order::ascending ? origin + distance : origin - distance);
  }
  // Whether the next pair, if there is one, has another score.
  bool last_of_score(std::size_t i) const { return i + 1 == items.size() || (items[i] >> 1) != (items[i + 1] >> 1); }
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

// Of a packed pair: its distance and its label.
template <typename T>
int packed_bits(std::pair<KeyOf<T>, KeyOf<T>> range) {
  return 1 + static_cast<int>(std::bit_width(static_cast<KeyOf<T>>(range.second - range.first)));
}

template <typename Item, typename T, typename Visit>
void visit_packed(std::span<const T> scores, const std::uint8_t* labels, std::pair<KeyOf<T>, KeyOf<T>> range, Order order,
                  const CallContext& context, const Visit& visit) {
  const std::size_t n = scores.size();
  const KeyOf<T> origin = order == Order::ascending ? range.first : range.second;
  const Pages memory(2 * n * sizeof(Item));
  Item* const items = reinterpret_cast<Item*>(memory.data());
  for_each_sort_piece(n, context, [&](std::size_t, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const KeyOf<T> key = order_key(scores[i]), distance = order == Order::ascending ? key - origin : origin - key;
      items[i] = static_cast<Item>(static_cast<Item>(distance) << 1 | Item{labels[i] != 0});
    }
  });
  const int high = packed_bits<T>(range);
  const Item* const sorted = radix_sort(items, items + n, n, 1, high, context);
  visit(LabelledOrder<T, Item>{{sorted, n}, origin, order});
}

// visit(LabelledOrder) of one or more pairs without NaN; false, and no visit, if some distance has more than 63 bits.
template <typename T, typename Visit>
bool in_labelled_order(std::span<const T> scores, const std::uint8_t* labels, Order order, const CallContext& context, const Visit& visit) {
  const auto range = key_range(scores, context);
  const int bits = packed_bits<T>(range);
  if (bits <= 32) {
    visit_packed<std::uint32_t>(scores, labels, range, order, context, visit);
  } else if (bits <= 64) {
    visit_packed<std::uint64_t>(scores, labels, range, order, context, visit);
  } else {
    return false;
  }
  return true;
}

}  // namespace fastcal
