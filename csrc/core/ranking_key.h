// ranking_key.h -- what a row is ranked by, short of its document, as one integer. By bits: a host that flushes denormals changes nothing.
#pragma once

#include <bit>
#include <cstdint>

namespace fastcal {

// Ascends with the value, both zeros alike.
inline std::uint32_t ascending_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (bits == 0x80000000u) return 0x80000000u;
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

// The same as a signed integer, cheaper where many are compared; -0.0 lies one below 0.0, NaN beyond the infinities.
inline std::int32_t signed_order(float value) {
  const auto bits = std::bit_cast<std::int32_t>(value);
  return bits ^ (bits >> 31 & 0x7fffffff);
}

// The greater, the better, and never 0: by `on`, then by score.
struct RankingKey {
  bool higher_is_better;

  static bool has_one(float on, float score) { return !is_nan(on) && !is_nan(score); }
  std::uint64_t operator()(float on, float score) const {
    const std::uint32_t low = ascending_bits(score);
    return static_cast<std::uint64_t>(ascending_bits(on)) << 32 | (higher_is_better ? low : ~low);
  }

 private:
  static bool is_nan(float value) { return (std::bit_cast<std::uint32_t>(value) & 0x7fffffffu) > 0x7f800000u; }
};

}  // namespace fastcal
