// exact_moments.cpp -- sums of float32 numbers and of their squares as integers: exact, so in any order the same.
#include <bit>
#include <vector>

#include "core/grouped.h"

namespace fastcal {
namespace {

constexpr std::size_t kSumDigits = 2 * kSumWords, kSquareDigits = 2 * kSquareWords;

// A float32 number is sign * mantissa * 2^(shift - 149).
struct Parts {
  std::uint64_t mantissa;
  unsigned shift;
  bool negative;
};
Parts parts_of(std::uint32_t bits) {
  const std::uint32_t exponent = bits >> 23 & 0xffu, fraction = bits & 0x7fffffu;
  return {exponent == 0 ? fraction : fraction | 0x800000u, exponent == 0 ? 0 : exponent - 1, bits >> 31 != 0};
}

// Digits of 32 bits in words of 64: carries wait, as fewer than 2^31 summands cannot overflow a word.
void add(std::int64_t* digits, std::uint64_t mantissa, unsigned shift, bool negative) {
  const unsigned by = shift % 32;
  const std::uint64_t low = mantissa << by, high = by == 0 ? 0 : mantissa >> (64 - by);
  const std::int64_t sign = negative ? -1 : 1;
  digits += shift / 32;
  digits[0] += sign * static_cast<std::int64_t>(low & 0xffffffffu);
  digits[1] += sign * static_cast<std::int64_t>(low >> 32);
  if (high != 0) digits[2] += sign * static_cast<std::int64_t>(high);
}

void carry(const std::vector<std::int64_t>& digits, std::size_t words, std::uint64_t* out) {
  for (std::size_t first = 0; first < digits.size(); first += 2 * words) {
    std::int64_t rest = 0;
    for (std::size_t word = 0; word < words; ++word) {
      const std::int64_t low = digits[first + 2 * word] + rest, high = digits[first + 2 * word + 1] + (low >> 32);
      rest = high >> 32;
      *out++ = static_cast<std::uint64_t>(high) << 32 | (static_cast<std::uint64_t>(low) & 0xffffffffu);
    }
  }
}

}  // namespace

std::int64_t exact_moments(std::span<const std::int32_t> codes, const float* scores, std::size_t groups, const GroupMoments& out,
                           StopToken& stop) {
  std::fill_n(out.counts, groups, 0);
  std::fill_n(out.least, groups, std::numeric_limits<float>::infinity());
  std::fill_n(out.greatest, groups, -std::numeric_limits<float>::infinity());
  std::vector<std::int64_t> sums(out.sums == nullptr ? 0 : groups * kSumDigits),
      squares(out.squares == nullptr ? 0 : groups * kSquareDigits);
  std::int64_t bad = -1;
  in_stoppable_pieces(codes.size(), stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end && bad < 0; ++i) {
      const auto bits = std::bit_cast<std::uint32_t>(scores[i]);
      const std::uint32_t magnitude = bits & 0x7fffffffu;
      if (magnitude >= 0x7f800000u) {
        if (magnitude == 0x7f800000u) bad = static_cast<std::int64_t>(i);
        continue;
      }
      const auto group = static_cast<std::size_t>(codes[i]);
      const float score = magnitude == 0 ? 0.0f : scores[i];  // of two zeros, no order of rows would say which is the least
      ++out.counts[group];
      if (score < out.least[group]) out.least[group] = score;
      if (score > out.greatest[group]) out.greatest[group] = score;
      const Parts parts = parts_of(bits);
      if (!sums.empty()) add(sums.data() + group * kSumDigits, parts.mantissa, parts.shift, parts.negative);
      if (!squares.empty()) add(squares.data() + group * kSquareDigits, parts.mantissa * parts.mantissa, 2 * parts.shift, false);
    }
  });
  if (bad >= 0) return bad;
  if (out.sums != nullptr) carry(sums, kSumWords, out.sums);
  if (out.squares != nullptr) carry(squares, kSquareWords, out.squares);
  return -1;
}

}  // namespace fastcal
