// radix.h -- unsigned integers sorted by some of their bits, on all threads. The sort is stable, so its result does not depend on how the
// items are cut into pieces.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/parallel.h"

namespace fastcal {

// visit(piece, begin, end) over [0, n) on all threads, in fixed pieces of about a millisecond.
inline constexpr std::size_t kSortPiece = std::size_t{1} << 18;
inline std::size_t sort_pieces(std::size_t n) {
  return (n + kSortPiece - 1) / kSortPiece;
}
template <typename Visit>
void for_each_sort_piece(std::size_t n, const CallContext& context, const Visit& visit) {
  const CallContext sized{worthwhile_threads(static_cast<double>(n), context.num_threads), context.stop};
  parallel_for(sort_pieces(n), sized, [&](std::size_t piece, std::size_t) {
    context.stop.check();
    visit(piece, piece * kSortPiece, std::min(n, (piece + 1) * kSortPiece));
  });
}

template <typename Item>
void count_digits(const Item* items, std::size_t n, int shift, std::size_t mask, std::uint32_t* counts) {
  for (std::size_t i = 0; i < n; ++i) ++counts[static_cast<std::size_t>(items[i] >> shift) & mask];
}

template <typename Item>
void move_by_digit(const Item* items, std::size_t n, int shift, std::size_t mask, std::uint32_t* places, Item* to) {
  for (std::size_t i = 0; i < n; ++i) to[places[static_cast<std::size_t>(items[i] >> shift) & mask]++] = items[i];
}

// Moves `from` to `to` in the order of the digit of `width` bits at `shift`; returns false, and moves nothing, if all have the same digit.
template <typename Item>
bool radix_pass(const Item* from, Item* to, std::size_t n, int shift, int width, const CallContext& context) {
  const std::size_t digits = std::size_t{1} << width, pieces = sort_pieces(n);
  std::vector<std::uint32_t> places(pieces * digits);
  for_each_sort_piece(n, context, [&](std::size_t piece, std::size_t begin, std::size_t end) {
    count_digits(from + begin, end - begin, shift, digits - 1, places.data() + piece * digits);
  });
  std::uint32_t sum = 0;
  for (std::size_t d = 0; d < digits; ++d) {
    const std::uint32_t before = sum;
    for (std::size_t piece = 0; piece < pieces; ++piece) sum += std::exchange(places[piece * digits + d], sum);
    if (sum - before == n) return false;
  }
  for_each_sort_piece(n, context, [&](std::size_t piece, std::size_t begin, std::size_t end) {
    move_by_digit(from + begin, end - begin, shift, digits - 1, places.data() + piece * digits, to);
  });
  return true;
}

// Sorts n < 2^32 items by their bits [low, high); returns where they are now, `items` or `other`.
template <typename Item>
Item* radix_sort(Item* items, Item* other, std::size_t n, int low, int high, const CallContext& context) {
  constexpr int kMostBits = 11;
  const int bits = std::max(1, high - low), passes = (bits + kMostBits - 1) / kMostBits, width = (bits + passes - 1) / passes;
  for (int pass = 0; pass < passes; ++pass)
    if (radix_pass(items, other, n, low + pass * width, width, context)) std::swap(items, other);
  return items;
}

}  // namespace fastcal
