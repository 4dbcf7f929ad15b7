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

// Up to kMaxRowBlock candidates of one query; those that are padding keep their NaN.
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
  std::int64_t rows_[kMaxRowBlock];
  std::size_t position_[kMaxRowBlock];
};

}  // namespace

std::int64_t rescore(const KernelTable& kernels, QueryView queries, const Corpus& corpus, const std::int64_t* ids, std::size_t m,
                     Metric metric, float* out, std::size_t out_stride, const CallContext& context) {
  const FloatEnvironment environment;
  const ScoreRows kernel = kernels.exact_scores[static_cast<int>(metric)];
  const std::size_t block = block_rows(corpus.dim);
  const std::size_t blocks = (m + block - 1) / block;
  FirstBad bad;
  const double nanoseconds = static_cast<double>(queries.n * m) * (static_cast<double>(corpus.dim) * 0.75 + 50.0);
  const CallContext sized{worthwhile_threads(nanoseconds, context.num_threads), context.stop};
  parallel_for(queries.n * blocks, sized, [&](std::size_t task, std::size_t) {
    const std::size_t query = task / blocks, begin = task % blocks * block;
    const Queries prepared(kernels, queries.data + query * corpus.dim, 1, corpus.dim);
    const QueryBlock one_query = prepared.block(0, 1);
    BlockReader reader(kernels, corpus, nullptr, metric == Metric::cosine);
    const Candidates candidates(ids + query * m + begin, std::min(block, m - begin), out + query * out_stride + begin);
    float scores[kMaxRowBlock];
    // Every candidate that is bad is reported, not only the block's first: the lowest row is named, whatever the order.
    const std::span<const std::int64_t> rows = candidates.rows();
    const std::size_t found = kernel(one_query, reader.gather(rows), scores, kMaxRowBlock);
    for (std::size_t i = found; i < rows.size(); ++i) {
      const std::int64_t one[] = {rows[i]};
      float unused;
      if (kernel(one_query, reader.gather(one), &unused, 1) == 0) bad.report(static_cast<std::size_t>(rows[i]));
    }
    candidates.write(scores);
  });
  return bad.get();
}

}  // namespace fastcal
