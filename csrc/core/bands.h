// bands.h -- how many rows score within each band, and uniform samples of them.
#pragma once

#include <cstdint>

#include "core/search.h"

namespace fastcal {

// n >= 2 strictly increasing float32 edges without NaN; bins are those of np.histogram.
struct BandsView {
  const float* edges;
  std::size_t n;
};

// Both return the first bad row (not finite, or noticed to differ from the one that was sketched) or -1; outputs are untouched
// when a bad row is found or the call is stopped. `sketch` may be null.
// out: (queries.n, bands.n - 1).
std::int64_t histogram(const KernelTable& kernels, QueryView queries, const Corpus& corpus, const double* norms, Metric metric,
                       BandsView bands, const Sketch* sketch, std::int64_t* out, const CallContext& context);

// counts: (queries.n, bins); the others (queries.n, bins, size), by priority, padded with row -1, NaN and the largest priority.
struct BandSampleOutput {
  std::int64_t* counts;
  std::int64_t* rows;
  float* scores;
  std::uint64_t* priorities;
  std::size_t size;
};

// Row r of the corpus is row first_row + r for its priority and in out.rows.
std::int64_t sample_bands(const KernelTable& kernels, QueryView queries, const Corpus& corpus, const double* norms, Metric metric,
                          BandsView bands, std::uint64_t seed, std::int64_t first_row, const Sketch* sketch, const BandSampleOutput& out,
                          const CallContext& context);

}  // namespace fastcal
