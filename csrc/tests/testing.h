// testing.h -- CHECK counts and reports, finish() is the exit code; a program that checked nothing fails.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include "core/parallel.h"
#include "dispatch/dispatch.h"

namespace fastcal::testing {

inline std::atomic<long> checks{0}, failures{0};

#define CHECK(condition)                                                                 \
  do {                                                                                   \
    ++fastcal::testing::checks;                                                          \
    if (!(condition)) {                                                                  \
      ++fastcal::testing::failures;                                                      \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
    }                                                                                    \
  } while (false)

inline int finish() {
  std::printf("%ld checks, %ld failed\n", checks.load(), failures.load());
  return checks > 0 && failures == 0 ? 0 : 1;
}

inline std::vector<const KernelTable*> supported_tables() {
  std::vector<const KernelTable*> tables;
  for (const KernelTable* table : dispatch::compiled()) {
    if (dispatch::supported(*table)) {
      tables.push_back(table);
    } else {
      std::printf("skipped: this CPU cannot run %s\n", table->name);
    }
  }
  return tables;
}

inline std::uint32_t bits(float v) {
  return std::bit_cast<std::uint32_t>(v);
}
inline std::uint64_t bits(double v) {
  return std::bit_cast<std::uint64_t>(v);
}

// Sizes around every vector width.
inline const std::vector<std::size_t> kSizes{1, 2, 3, 5, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 384};

inline std::vector<float> random_vectors(std::mt19937& random, std::size_t n) {
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& v : values) v = normal(random);
  return values;
}

// A call that nobody interrupts.
struct Uninterrupted {
  StopToken stop;
  CallContext with(int num_threads) { return {num_threads, stop}; }
};

}  // namespace fastcal::testing
