// fusion.h -- one ranked list out of several, query by query.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/parallel.h"

namespace fastcal {

enum class FuseMethod { rrf, sum };

// One source: query i owns [offsets[i], offsets[i + 1]), best first. `scores` may be null for rrf.
struct RunView {
  const std::int64_t* ids;
  const float* scores;
  std::span<const std::int64_t> offsets;
  double weight;
};

// Query i writes out.counts[i] entries from out.offsets[i], an upper bound the caller has worked out.
struct FusedOutput {
  std::span<const std::int64_t> offsets;
  std::int64_t* ids;
  float* scores;
  std::int64_t* counts;
};

// top_k < 0 keeps the whole union.
void fuse(const std::vector<RunView>& runs, FuseMethod method, double k, std::int64_t top_k, const FusedOutput& out,
          const CallContext& context);

}  // namespace fastcal
