// rescore.cpp -- exact scores of given candidates: a gather, then the same kernel as the scan.
#include <algorithm>
#include <bit>
#include <vector>

#include "core/float_env.h"
#include "core/queries.h"
#include "core/search.h"
#include "core/search_plan.h"

namespace fastcal {
namespace {

constexpr float kPaddingScore = std::bit_cast<float>(0x7fc00000u);

constexpr std::size_t kTaskCandidates = 256, kTaskBytes = std::size_t{8} << 20;
// Rows of one kernel call, and bytes asked for ahead of it (4 to 32 KiB: the same, Zen 4 server, 2026-11).
constexpr std::size_t kStrip = 4, kAheadBytes = std::size_t{8} << 10;

// Up to kTaskCandidates candidates of one query; those that are padding keep their NaN.
class Candidates {
 public:
  Candidates(const std::int64_t* ids, std::size_t n, float* out) : out_(out) {
    for (std::size_t i = 0; i < n; ++i) {
      out[i] = kPaddingScore;
      if (ids[i] < 0) continue;
      rows_[n_] = ids[i];
      position_[n_++] = i;
    }
  }
  std::span<const std::int64_t> rows() const { return {rows_, n_}; }
  void write(const float* scores) const {
    for (std::size_t i = 0; i < n_; ++i) out_[position_[i]] = scores[i];
  }

 private:
  float* out_;
  std::size_t n_ = 0;
  std::int64_t rows_[kTaskCandidates];
  std::size_t position_[kTaskCandidates];
};

// Of a long row, what the hardware prefetcher needs to follow it.
void prefetch(const std::byte* row, std::size_t bytes) {
  for (std::size_t offset = 0; offset < std::min<std::size_t>(bytes, 4096); offset += 64) __builtin_prefetch(row + offset, 0, 2);
}

// visit(first, n) for strips of the rows, which are in cache or on their way by then.
template <typename Visit>
void for_each_strip(const Corpus& corpus, std::span<const std::int64_t> rows, const Visit& visit) {
  const std::size_t row_bytes = corpus.dim * corpus.element_size();
  const std::size_t ahead = std::max(kStrip, kAheadBytes / row_bytes);
  std::size_t asked = 0;
  for (std::size_t first = 0; first < rows.size(); first += kStrip) {
    for (const std::size_t end = std::min(rows.size(), first + kStrip + ahead); asked < end; ++asked)
      prefetch(corpus.row(static_cast<std::size_t>(rows[asked])), row_bytes);
    visit(first, std::min(kStrip, rows.size() - first));
  }
}

}  // namespace

std::int64_t rescore(const KernelTable& kernels, QueryView queries, const Corpus& corpus, const std::int64_t* ids, std::size_t m,
                     Metric metric, float* out, std::size_t out_stride, const CallContext& context) {
  const FloatEnvironment environment;
  const ScoreRows kernel = kernels.exact_scores[static_cast<int>(metric)];
  const std::size_t per_task = std::clamp(kTaskBytes / (corpus.dim * sizeof(float)), kStrip, kTaskCandidates);
  const std::size_t tasks = (m + per_task - 1) / per_task;
  FirstBad bad;
  const double nanoseconds = static_cast<double>(queries.n * m) * (static_cast<double>(corpus.dim) * 0.25 + 50.0);
  const CallContext sized{worthwhile_threads(nanoseconds, context.num_threads), context.stop};
  parallel_for(queries.n * tasks, sized, [&](std::size_t task, std::size_t) {
    const std::size_t query = task / tasks, begin = task % tasks * per_task;
    const Queries prepared(kernels, queries.data + query * corpus.dim, 1, corpus.dim);
    const QueryBlock one_query = prepared.block(0, 1);
    BlockReader reader(kernels, corpus, nullptr, false);
    const Candidates candidates(ids + query * m + begin, std::min(per_task, m - begin), out + query * out_stride + begin);
    const std::span<const std::int64_t> rows = candidates.rows();
    float scores[kTaskCandidates];
    for_each_strip(corpus, rows, [&](std::size_t first, std::size_t n) {
      const std::size_t found = kernel(one_query, reader.gather(rows.subspan(first, n)), scores + first, kStrip);
      // Every candidate that is bad is reported, not only the first: the lowest row is named, whatever the order.
      for (std::size_t i = first + found; i < first + n; ++i) {
        float unused;
        if (kernel(one_query, reader.gather(rows.subspan(i, 1)), &unused, 1) == 0) bad.report(static_cast<std::size_t>(rows[i]));
      }
    });
    candidates.write(scores);
  });
  return bad.get();
}

}  // namespace fastcal
