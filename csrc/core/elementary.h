// elementary.h -- exp and ln of docs/numerics.md: additions, multiplications and divisions only, so the same bits everywhere.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace fastcal {

inline constexpr double kLn2Upper = 0x1.62e42fee00000p-1;
inline constexpr double kLn2Lower = 0x1.a39ef35793c76p-33;

inline constexpr auto kInverseFactorials = [] {
  std::array<double, 14> inverses{1.0};
  for (std::size_t i = 1; i < inverses.size(); ++i) {
    double factorial = 1.0;
    for (std::size_t j = 2; j <= i; ++j) factorial *= static_cast<double>(j);
    inverses[i] = 1.0 / factorial;
  }
  return inverses;
}();

// exp(-x) for 0 <= x; larger x than 708 are taken as 708.
inline double exp_minus(double x) {
  constexpr double kLog2E = 0x1.71547652b82fep+0;
  constexpr double kRoundingShift = 0x1.8p52;  // adding it rounds to the nearest integer, left in the low mantissa bits
  const double t = -(x < 708.0 ? x : 708.0);
  const double shifted = t * kLog2E + kRoundingShift;
  const double n = shifted - kRoundingShift;
  const double r = (t - n * kLn2Upper) - n * kLn2Lower;
  double p = kInverseFactorials[13];
  for (std::size_t i = 13; i-- > 0;) p = p * r + kInverseFactorials[i];
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(p) + (std::bit_cast<std::uint64_t>(shifted) << 52));
}

// ln(x) of a positive normal number: x = m * 2^e with m in (sqrt(1/2), sqrt(2)], ln(m) = 2 atanh(s), s = (m - 1) / (m + 1).
inline double natural_log(double x) {
  constexpr std::uint64_t kMantissa = (std::uint64_t{1} << 52) - 1, kOne = std::uint64_t{1023} << 52;
  constexpr double kSqrt2 = 0x1.6a09e667f3bcdp+0;
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  double m = std::bit_cast<double>((bits & kMantissa) | kOne);
  double e = static_cast<double>(static_cast<std::int64_t>(bits >> 52) - 1023);
  if (m > kSqrt2) {
    m *= 0.5;
    e += 1.0;
  }
  const double s = (m - 1.0) / (m + 1.0), z = s * s;
  double p = 1.0 / 21.0;
  for (int odd = 19; odd >= 1; odd -= 2) p = p * z + 1.0 / odd;
  return e * kLn2Upper + (e * kLn2Lower + 2.0 * s * p);
}

}  // namespace fastcal
