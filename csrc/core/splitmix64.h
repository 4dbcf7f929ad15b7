// splitmix64.h -- random numbers that are functions of their number.
#pragma once

#include <cstdint>

namespace fastcal {

// Output number n of the splitmix64 generator that starts in `state`.
inline std::uint64_t splitmix64(std::uint64_t state, std::uint64_t n) {
  std::uint64_t z = state + (n + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace fastcal
