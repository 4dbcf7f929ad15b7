// topk.cpp -- the exact scan: query groups x row tasks, one TopK a query and worker, merged at the end.
#include "core/topk.h"

#include <bit>
#include <optional>

#include "core/bounded_scan.h"
#include "core/cascade.h"
#include "core/float_env.h"
#include "core/merge.h"
#include "core/queries.h"
#include "core/search.h"
#include "core/search_plan.h"

namespace fastcal {
namespace {

constexpr float kPaddingScore = std::bit_cast<float>(0x7fc00000u);

// One worker's share of one group of queries.
struct Worker {
  Worker(const KernelTable& kernels, const Corpus& corpus, const double* norms, Metric metric, std::size_t n_queries, std::size_t k)
      : reader(kernels, corpus, norms, metric == Metric::cosine), best(n_queries, TopK(k)), scores(n_queries * kMaxRowBlock) {}

  BlockReader reader;
  std::vector<TopK> best;
  std::vector<float> scores;
};

class Search {
 public:
  Search(const KernelTable& kernels, const Corpus& corpus, const double* norms, Metric metric, const std::int64_t* external_ids,
         const CallContext& context)
      : kernels_(kernels), corpus_(corpus), norms_(norms), metric_(metric), external_ids_(external_ids), context_(context) {}

  // Best k per query of the group, or nothing if a bad row was found (see bad()).
  std::optional<std::vector<TopK>> run(const QueryBlock& queries, std::size_t k) {
    const ScanPlan plan(corpus_, queries.n);
    const CallContext sized{worthwhile_threads(plan.nanoseconds, context_.num_threads), context_.stop};
    std::vector<std::optional<Worker>> workers(static_cast<std::size_t>(sized.num_threads));
    parallel_for(plan.n_tasks, sized, [&](std::size_t task, std::size_t worker) {
      auto& mine = workers[worker];
      if (!mine) mine.emplace(kernels_, corpus_, norms_, metric_, queries.n, k);
      scan(*mine, queries, plan, task);
    });
    if (bad_.get() >= 0) return std::nullopt;
    return merge_workers(workers, queries.n, k, sized);
  }

  std::int64_t bad() const { return bad_.get(); }

 private:
  void scan(Worker& worker, const QueryBlock& queries, const ScanPlan& plan, std::size_t task) {
    const ScoreRows kernel = kernels_.exact_scores[static_cast<int>(metric_)];
    const std::size_t end = std::min(corpus_.n_rows, (task + 1) * plan.per_task);
    for (std::size_t begin = task * plan.per_task; begin < end && !bad_.before(begin); begin += plan.block) {
      const std::size_t n = std::min(plan.block, end - begin);
      const std::size_t found = kernel(queries, worker.reader.read(begin, n), worker.scores.data(), kMaxRowBlock);
      if (found < n) bad_.report(begin + found);
      for (std::size_t q = 0; q < queries.n && !context_.stop.check(); ++q)
        offer(worker.best[q], worker.scores.data() + q * kMaxRowBlock, begin, n);
    }
  }

  void offer(TopK& best, const float* scores, std::size_t begin, std::size_t n) const {
    const float sign = metric_ == Metric::euclidean ? -1.0f : 1.0f;
    for (std::size_t i = 0; i < n; ++i) {
      const float key = sign * scores[i];
      if (key < best.bound()) continue;
      const std::size_t row = begin + i;
      best.push({key, external_ids_ != nullptr ? external_ids_[row] : static_cast<std::int64_t>(row)});
    }
  }

  const KernelTable& kernels_;
  const Corpus& corpus_;
  const double* norms_;
  Metric metric_;
  const std::int64_t* external_ids_;
  const CallContext& context_;
  FirstBad bad_;
};

// Queries searched in one pass over the rows: as many as keep their float64 copies in cache and their candidates in
// a bounded amount of memory, however large k is.
std::size_t group_size(std::size_t k, std::size_t dim, int num_threads) {
  constexpr std::size_t kCandidateBytes = std::size_t{256} << 20, kQueryBytes = std::size_t{256} << 10, kMaxGroup = 96;
  const std::size_t per_query = static_cast<std::size_t>(num_threads) * (2 * k + 16) * sizeof(Hit);
  const std::size_t by_cache = std::max<std::size_t>(12, kQueryBytes / (dim * sizeof(double)));
  return std::clamp<std::size_t>(kCandidateBytes / per_query, 1, std::min(by_cache, kMaxGroup));
}

// The best hits of every query so far, packed; outputs are written from here once the whole call has succeeded.
class Results {
 public:
  Results(Metric metric, std::size_t n_queries, std::size_t kept)
      : sign_(metric == Metric::euclidean ? -1.0f : 1.0f), kept_(kept), keys_(n_queries * kept), ids_(n_queries * kept) {}

  // Sorts and packs a group that starts at query `first`.
  void take(std::vector<TopK>& group, std::size_t first, const CallContext& context) {
    parallel_for(group.size(), context, [&](std::size_t q, std::size_t) {
      const std::vector<Hit>& sorted = group[q].sorted();
      for (std::size_t i = 0; i < sorted.size(); ++i) {
        keys_[(first + q) * kept_ + i] = sorted[i].key;
        ids_[(first + q) * kept_ + i] = sorted[i].id;
      }
      group[q] = TopK(0);
    });
  }

  void write(std::size_t query, const TopKOutput& out) const {
    float* scores = out.scores + query * out.scores_stride;
    std::int64_t* ids = out.ids + query * out.ids_stride;
    for (std::size_t i = 0; i < kept_; ++i) {
      scores[i] = sign_ * keys_[query * kept_ + i] + 0.0f;
      ids[i] = ids_[query * kept_ + i];
    }
    std::fill(scores + kept_, scores + out.k, kPaddingScore);
    std::fill(ids + kept_, ids + out.k, std::int64_t{-1});
  }

 private:
  float sign_;
  std::size_t kept_;
  std::vector<float> keys_;
  std::vector<std::int64_t> ids_;
};

// Searches the queries group by group with `searcher`; returns its first bad row, or -1.
template <typename Searcher>
std::int64_t search_groups(Searcher& searcher, const KernelTable& kernels, QueryView queries, std::size_t dim, std::size_t group,
                           std::size_t kept, const CallContext& context, Results& results) {
  for (std::size_t first = 0; first < queries.n; first += group) {
    const Queries prepared(kernels, queries.data + first * dim, std::min(group, queries.n - first), dim);
    auto best = searcher.run(prepared.block(0, prepared.size()), kept);
    if (!best) return searcher.bad();
    results.take(*best, first, context);
  }
  return -1;
}

}  // namespace

std::int64_t topk(const KernelTable& kernels, QueryView queries, const Corpus& corpus, const double* norms, Metric metric,
                  const std::int64_t* external_ids, const Sketch* sketch, const TopKOutput& out, const CallContext& context) {
  const FloatEnvironment environment;
  const std::size_t kept = std::min(out.k, corpus.n_rows);
  Results results(metric, queries.n, kept);
  std::int64_t bad = -1;
  if (kept > 0 && sketch != nullptr) {
    Cascade cascade(kernels, corpus, norms, *sketch, external_ids, context);
    bad = search_groups(cascade, kernels, queries, corpus.dim, Cascade::group_size(kept, corpus.dim, context.num_threads), kept, context,
                        results);
  } else if (kept > 0 && BoundedScan::worthwhile(queries.n, corpus.n_rows, kept)) {
    BoundedScan scan(kernels, corpus, norms, metric, external_ids, context);
    bad = search_groups(scan, kernels, queries, corpus.dim, queries.n, kept, context, results);
  } else if (kept > 0) {
    Search search(kernels, corpus, norms, metric, external_ids, context);
    bad = search_groups(search, kernels, queries, corpus.dim, group_size(kept, corpus.dim, context.num_threads), kept, context, results);
  }
  if (bad >= 0) return bad;
  for (std::size_t query = 0; query < queries.n; ++query) results.write(query, out);
  return -1;
}

}  // namespace fastcal
