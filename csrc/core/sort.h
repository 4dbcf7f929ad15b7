// sort.h -- a stable order of scores: least-significant-digit radix sort of (key, position).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/memory.h"
#include "core/stop_token.h"

namespace fastcal {

// Maps a float to an unsigned integer of the same order; -0.0 and 0.0 are equal and map to the same key.
template <typename T>
auto order_key(T value) {
  using Key = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr Key kSign = Key{1} << (8 * sizeof(T) - 1);
  const Key bits = std::bit_cast<Key>(value + T{0});
  return (bits & kSign) != 0 ? static_cast<Key>(~bits) : static_cast<Key>(bits | kSign);
}

enum class Order { ascending, descending };

// Positions 0..n-1 in order of the values, equal values in input order. No NaN. Throws Interrupted when stopped.
template <typename T>
std::vector<std::uint32_t> stable_order(const T* values, std::size_t n, Order order, StopToken& stop) {
  using Key = decltype(order_key(T{}));
  constexpr int kDigitBits = 11;
  constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
  struct Item {
    Key key;
    std::uint32_t position;
  };
  const Pages memory(2 * std::max<std::size_t>(n, 1) * sizeof(Item));  // touched piece by piece, unlike a vector
  Item* items = reinterpret_cast<Item*>(memory.data());
  Item* other = items + n;
  in_stoppable_pieces(n, stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const Key key = order_key(values[i]);
      items[i] = {order == Order::ascending ? key : static_cast<Key>(~key), static_cast<std::uint32_t>(i)};
    }
  });
  std::vector<std::size_t> starts(kDigits);
  for (int shift = 0; shift < static_cast<int>(8 * sizeof(Key)); shift += kDigitBits) {
    const auto digit = [shift](const Item& item) { return static_cast<std::size_t>(item.key >> shift) & (kDigits - 1); };
    starts.assign(kDigits, 0);
    in_stoppable_pieces(n, stop, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) ++starts[digit(items[i])];
    });
    if (n > 0 && starts[digit(items[0])] == n) continue;  // every key has this digit
    std::size_t sum = 0;
    for (std::size_t& start : starts) sum += std::exchange(start, sum);
    in_stoppable_pieces(n, stop, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) other[starts[digit(items[i])]++] = items[i];
    });
    std::swap(items, other);
  }
  std::vector<std::uint32_t> positions(n);
  in_stoppable_pieces(n, stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) positions[i] = items[i].position;
  });
  return positions;
}

}  // namespace fastcal
