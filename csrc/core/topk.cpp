// topk.cpp -- the best k of every query; outputs are written once the whole call has succeeded.
#include <bit>

#include "core/float_env.h"
#include "core/search_groups.h"

namespace fastcal {
namespace {

constexpr float kPaddingScore = std::bit_cast<float>(0x7fc00000u);

// The best hits of every query so far, packed.
class Results {
 public:
  Results(Metric metric, std::size_t n_queries, std::size_t most)
      : sign_(metric == Metric::euclidean ? -1.0f : 1.0f),
        most_(most),
        found_(n_queries),
        keys_(n_queries * most),
        ids_(n_queries * most) {}

  // Sorts and packs a group that starts at query `first`.
  void take(std::vector<TopK>& group, std::size_t first, const CallContext& context) {
    parallel_for(group.size(), context, [&](std::size_t q, std::size_t) {
      const std::vector<Hit>& sorted = group[q].sorted();
      found_[first + q] = sorted.size();
      for (std::size_t i = 0; i < sorted.size(); ++i) {
        keys_[(first + q) * most_ + i] = sorted[i].key;
        ids_[(first + q) * most_ + i] = sorted[i].id;
      }
      group[q] = TopK(0);
    });
  }

  void write(std::size_t query, const TopKOutput& out) const {
    float* scores = out.scores + query * out.scores_stride;
    std::int64_t* ids = out.ids + query * out.ids_stride;
    const std::size_t n = found_[query];
    for (std::size_t i = 0; i < n; ++i) {
      scores[i] = sign_ * keys_[query * most_ + i] + 0.0f;
      ids[i] = ids_[query * most_ + i];
    }
    std::fill(scores + n, scores + out.k, kPaddingScore);
    std::fill(ids + n, ids + out.k, std::int64_t{-1});
  }

 private:
  float sign_;
  std::size_t most_;
  std::vector<std::size_t> found_;
  std::vector<float> keys_;
  std::vector<std::int64_t> ids_;
};

}  // namespace

std::int64_t topk(const SearchTask& task, const TopKOutput& out, const CallContext& context) {
  const FloatEnvironment environment;
  const std::size_t most = std::min(out.k, task.corpus.n_rows);
  Results results(task.metric, task.queries.n, most);
  if (most > 0) {
    const std::int64_t bad = search_all<TopK>(
        task, most, context, [&](std::size_t q) { return TopK(most, task.gate.floor(q, task.metric)); },
        [&](std::vector<TopK>& group, std::size_t first) { results.take(group, first, context); });
    if (bad >= 0) return bad;
  }
  for (std::size_t query = 0; query < task.queries.n; ++query) results.write(query, out);
  return -1;
}

}  // namespace fastcal
