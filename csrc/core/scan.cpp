// scan.cpp -- full score matrices, row norms and the rounding of float64 input: one pass over the rows each.
#include <algorithm>
#include <cmath>

#include "core/float_env.h"
#include "core/queries.h"
#include "core/search.h"
#include "core/search_plan.h"

namespace fastcal {
namespace {

// visit(reader, begin, n) for every block of rows, on all threads; it returns the first bad row of the block, or n.
template <typename Visit>
std::int64_t scan_blocks(const KernelTable& kernels, const Corpus& corpus, const double* norms, bool needs_norms, std::size_t n_queries,
                         const CallContext& context, const Visit& visit) {
  const ScanPlan plan(corpus.n_rows, corpus.dim, n_queries);
  FirstBad bad;
  const CallContext sized{worthwhile_threads(plan.nanoseconds, context.num_threads), context.stop};
  parallel_for(plan.n_tasks, sized, [&](std::size_t task, std::size_t) {
    BlockReader reader(kernels, corpus, norms, needs_norms);
    const std::size_t end = std::min(corpus.n_rows, (task + 1) * plan.per_task);
    for (std::size_t begin = task * plan.per_task; begin < end && !bad.before(begin); begin += plan.block) {
      const std::size_t n = std::min(plan.block, end - begin);
      const std::size_t found = visit(reader, begin, n);
      if (found < n) bad.report(begin + found);
    }
  });
  return bad.get();
}

std::size_t first_non_finite(const double* values, std::size_t n) {
  std::size_t i = 0;
  while (i < n && std::isfinite(values[i])) ++i;
  return i;
}

}  // namespace

std::int64_t row_norms(const KernelTable& kernels, const Corpus& corpus, double* out, const CallContext& context) {
  return scan_blocks(kernels, corpus, nullptr, false, 1, context, [&](BlockReader& reader, std::size_t begin, std::size_t n) {
    double* norms = out + begin;
    kernels.squared_norms(reader.read(begin, n).rows, n, corpus.dim, norms);
    for (std::size_t i = 0; i < n; ++i) norms[i] = std::sqrt(norms[i]);
    return first_non_finite(norms, n);
  });
}

std::int64_t scores(const KernelTable& kernels, QueryView queries, const Corpus& corpus, const double* norms, Metric metric,
                    Precision precision, float* out, std::size_t out_stride, const CallContext& context) {
  const FloatEnvironment environment;
  const auto* table = precision == Precision::fast ? kernels.fast_scores : kernels.exact_scores;
  const ScoreRows kernel = table[static_cast<int>(metric)];
  // Queries per pass over the rows, so that a task stays below about 20 ms (see parallel_for): its arithmetic, and the
  // zeroing of fresh output, of which the first task touches one huge page a query.
  const std::size_t group = std::clamp<std::size_t>((std::size_t{1} << 27) / (block_rows(corpus.dim) * corpus.dim), 12, 128);
  std::int64_t bad = -1;
  for (std::size_t first = 0; first < queries.n && bad < 0; first += group) {
    const Queries prepared(kernels, queries.data + first * corpus.dim, std::min(group, queries.n - first), corpus.dim);
    const QueryBlock block = prepared.block(0, prepared.size());
    bad = scan_blocks(kernels, corpus, norms, metric == Metric::cosine, block.n, context,
                      [&](BlockReader& reader, std::size_t begin, std::size_t n) {
                        return kernel(block, reader.read(begin, n), out + first * out_stride + begin, out_stride);
                      });
  }
  return bad;
}

std::int64_t round_to_float32(const KernelTable& kernels, const double* values, std::size_t rows, std::size_t columns, float* out,
                              const CallContext& context) {
  constexpr std::size_t kTaskValues = std::size_t{1} << 18;
  const std::size_t per_task = std::max<std::size_t>(1, kTaskValues / std::max<std::size_t>(1, columns));
  FirstBad bad;
  const CallContext sized{worthwhile_threads(static_cast<double>(rows * columns), context.num_threads), context.stop};
  parallel_for((rows + per_task - 1) / per_task, sized, [&](std::size_t task, std::size_t) {
    const std::size_t end = std::min(rows, (task + 1) * per_task);
    for (std::size_t row = task * per_task; row < end && !bad.before(row); ++row)
      if (!kernels.round_to_float32(values + row * columns, columns, out + row * columns)) bad.report(row);
  });
  return bad.get();
}

}  // namespace fastcal
