// fields.cpp -- short decimal numbers are exact in float64 arithmetic; all others go to std::from_chars.
#include "core/fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <system_error>

namespace fastcal {
namespace {

bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

// Removes a sign; true if it was a minus.
bool take_sign(std::string_view& field) {
  const bool signed_field = !field.empty() && (field[0] == '-' || field[0] == '+');
  const bool negative = signed_field && field[0] == '-';
  if (signed_field) field.remove_prefix(1);
  return negative;
}

// Digits with at most one point, an integer m below 2^53 over 10^k with k <= 18: m and 10^k are exact, so m / 10^k is rounded once.
bool read_short(std::string_view field, double& out) {
  static constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                       1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
  constexpr std::size_t kMostDigits = 18;
  if (field.size() > kMostDigits) return false;
  std::uint64_t mantissa = 0;
  std::size_t at = 0;
  for (; at < field.size() && is_digit(field[at]); ++at) mantissa = mantissa * 10 + static_cast<std::uint64_t>(field[at] - '0');
  std::size_t decimals = 0;
  if (at < field.size() && field[at] == '.') {
    decimals = field.size() - at - 1;
    for (++at; at < field.size() && is_digit(field[at]); ++at) mantissa = mantissa * 10 + static_cast<std::uint64_t>(field[at] - '0');
    if (field.size() == 1) return false;
  }
  if (at < field.size() || field.empty() || mantissa >> 53 != 0) return false;
  out = static_cast<double>(mantissa) / kPowers[decimals];
  return true;
}

// Of a number too large or too small for float64: is it the latter? Its leading digit stands before or after the point.
bool is_tiny(std::string_view field) {
  const std::size_t e = std::min(field.find_first_of("eE"), field.size()), point = std::min(field.find('.'), e);
  const std::size_t first = field.find_first_of("123456789");
  std::string_view exponent = e < field.size() ? field.substr(e + 1) : std::string_view("0");
  const bool negative = take_sign(exponent);
  exponent.remove_prefix(std::min(exponent.find_first_not_of('0'), exponent.size()));
  std::int64_t written = 0;
  if (exponent.size() > 17) return negative;
  for (const char digit : exponent) written = written * 10 + (digit - '0');
  const std::int64_t leading = first < point ? static_cast<std::int64_t>(point - first) : -static_cast<std::int64_t>(first - point - 1);
  return leading + (negative ? -written : written) < 0;
}

bool read_float64(std::string_view field, double& out) {
  if (read_short(field, out)) return true;
  const bool number = !field.empty() && (is_digit(field[0]) || field[0] == '.' || field[0] == 'i' || field[0] == 'I');
  if (!number) return false;  // from_chars takes a second sign and NaN
  const auto [stop, error] = std::from_chars(field.data(), field.data() + field.size(), out);
  if (stop != field.data() + field.size()) return false;
  if (error == std::errc::result_out_of_range) {
    out = 0.0;
    return is_tiny(field);
  }
  return error == std::errc{};
}

// The bytes of one character at `at`, or 0.
std::size_t character(const unsigned char* at, std::size_t left) {
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) { return i < left && at[i] >= low && at[i] <= high; };
  const unsigned lead = at[0];
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {  // neither overlong nor a surrogate
    return follows(1, lead == 0xe0 ? 0xa0 : 0x80, lead == 0xed ? 0x9f : 0xbf) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4)  // neither overlong nor above U+10FFFF
    return follows(1, lead == 0xf0 ? 0x90 : 0x80, lead == 0xf4 ? 0x8f : 0xbf) && follows(2) && follows(3) ? 4 : 0;
  return 0;
}

}  // namespace

bool read_float32(std::string_view field, float& out) {
  constexpr double kOverflow = 0x1p128 - 0x1p103;  // the least float64 that rounds to an infinite float32
  const bool negative = take_sign(field);
  double value;
  if (!read_float64(field, value) || (value >= kOverflow && !std::isinf(value))) return false;
  out = static_cast<float>(negative ? -value : value);
  return true;
}

bool read_int32(std::string_view field, std::int32_t& out) {
  const bool negative = take_sign(field);
  std::int64_t value = 0;
  if (field.empty() || !std::all_of(field.begin(), field.end(), is_digit)) return false;
  for (const char digit : field) {
    value = value * 10 + (digit - '0');
    if (value > (std::int64_t{1} << 31)) return false;
  }
  value = negative ? -value : value;
  out = static_cast<std::int32_t>(value);
  return out == value;
}

bool is_utf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  for (std::size_t at = 0; at < text.size();) {
    std::uint64_t word;
    if (text.size() - at >= sizeof word) {
      std::memcpy(&word, bytes + at, sizeof word);
      if ((word & 0x8080808080808080) == 0) {
        at += sizeof word;
        continue;
      }
    }
    const std::size_t length = character(bytes + at, text.size() - at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace fastcal
