// bounded_scan.cpp -- tasks of consecutive rows: bounds first, then the few candidates that are left at the end of each task.
#include "core/bounded_scan.h"

#include <algorithm>
#include <limits>

#include "core/merge.h"

namespace fastcal {
namespace {

constexpr std::size_t kTaskBytes = std::size_t{1} << 19;

}  // namespace

struct BoundedScan::Candidate {
  float upper;
  std::size_t row;
};

struct BoundedScan::Worker {
  Worker(const KernelTable& kernels, const Corpus& corpus, const double* norms, Metric metric, const std::vector<TopK>& empty)
      : reader(kernels, corpus, nullptr, false),
        exact_reader(kernels, corpus, norms, metric == Metric::cosine && norms != nullptr),
        best(empty),
        likely(empty),
        candidates(empty.size()) {}

  BlockReader reader, exact_reader;
  std::vector<TopK> best;
  std::vector<TopK> likely;  // lower bounds, of different rows: k of them are a key that is reached
  std::vector<std::vector<Candidate>> candidates;
  float lower[kMaxRowBlock], upper[kMaxRowBlock];
};

BoundedScan::BoundedScan(const KernelTable& kernels, const Corpus& corpus, const double* norms, Metric metric,
                         const std::int64_t* external_ids, const CallContext& context)
    : kernels_(kernels), corpus_(corpus), norms_(norms), metric_(metric), external_ids_(external_ids), context_(context) {}

bool BoundedScan::worthwhile(std::size_t n_queries, std::size_t n_rows, std::size_t k) {
  return n_queries == 1 && k <= n_rows / 16;
}

std::optional<std::vector<TopK>> BoundedScan::run(const QueryBlock& queries, const Gate& gate, const std::vector<TopK>& empty) {
  const std::size_t row_bytes = corpus_.dim * sizeof(float), block = block_rows(corpus_.dim);
  const std::size_t per_task = std::max(block, kTaskBytes / row_bytes / block * block);
  const double nanoseconds = static_cast<double>(corpus_.n_rows * row_bytes * queries.n) * 0.03;
  const CallContext sized{worthwhile_threads(nanoseconds, context_.num_threads), context_.stop};
  reached_ = std::vector<std::atomic<float>>(queries.n);
  for (std::size_t q = 0; q < queries.n; ++q) reached_[q].store(empty[q].bound(), std::memory_order_relaxed);
  std::vector<std::optional<Worker>> workers(static_cast<std::size_t>(sized.num_threads));
  parallel_for((corpus_.n_rows + per_task - 1) / per_task, sized, [&](std::size_t task, std::size_t index) {
    auto& worker = workers[index];
    if (!worker) worker.emplace(kernels_, corpus_, norms_, metric_, empty);
    scan(*worker, queries, gate, task * per_task, std::min(corpus_.n_rows, (task + 1) * per_task));
  });
  if (bad() >= 0) return std::nullopt;
  return merge_workers(workers, empty, sized);
}

void BoundedScan::scan(Worker& worker, const QueryBlock& queries, const Gate& gate, std::size_t begin, std::size_t end) {
  const BoundKeys kernel = kernels_.bound_keys[static_cast<int>(metric_)];
  const std::size_t block = block_rows(corpus_.dim);
  if (bad_.before(begin)) return;
  for (std::size_t row = begin; row < end; row += block) {
    const std::size_t n = std::min(block, end - row);
    const RowBlock rows = worker.reader.read(row, n);
    for (std::size_t q = 0; q < queries.n; ++q) {
      kernel(one_of(queries, q), rows, worker.lower, worker.upper);
      collect(worker, q, gate.mask(q), row, n);
    }
  }
  for (std::size_t q = 0; q < queries.n; ++q) resolve(worker, queries, q);
}

void BoundedScan::collect(Worker& worker, std::size_t query, const std::uint8_t* mask, std::size_t begin, std::size_t n) {
  TopK& likely = worker.likely[query];
  const float floor = std::max(reached_[query].load(std::memory_order_relaxed), likely.tightened_bound());
  for (std::size_t i = 0; i < n; ++i) {
    if (worker.upper[i] < floor || (mask != nullptr && mask[begin + i] == 0)) continue;
    worker.candidates[query].push_back({worker.upper[i], begin + i});
    likely.push({worker.lower[i], static_cast<std::int64_t>(begin + i)});
  }
}

// Scores the candidates that nothing has ruled out meanwhile, in the order of their rows.
void BoundedScan::resolve(Worker& worker, const QueryBlock& queries, std::size_t query) {
  const ScoreRows kernel = kernels_.exact_scores[static_cast<int>(metric_)];
  const float sign = metric_ == Metric::euclidean ? -1.0f : 1.0f;
  raise_to(reached_[query], worker.likely[query].tightened_bound());
  const float floor = reached_[query].load(std::memory_order_relaxed);
  std::vector<Candidate>& candidates = worker.candidates[query];
  std::erase_if(candidates, [floor](const Candidate& candidate) { return candidate.upper < floor; });
  TopK& best = worker.best[query];
  for (std::size_t begin = 0; begin < candidates.size(); begin += kMaxRowBlock) {
    const std::size_t n = std::min(kMaxRowBlock, candidates.size() - begin);
    std::int64_t rows[kMaxRowBlock];
    float scores[kMaxRowBlock];
    for (std::size_t i = 0; i < n; ++i) rows[i] = static_cast<std::int64_t>(candidates[begin + i].row);
    const std::size_t finite = kernel(one_of(queries, query), worker.exact_reader.gather({rows, n}), scores, kMaxRowBlock);
    if (finite < n) return bad_.report(static_cast<std::size_t>(rows[finite]));
    for (std::size_t i = 0; i < n; ++i) {
      const float key = sign * scores[i];
      if (impossible(metric_, key)) return bad_.report(static_cast<std::size_t>(rows[i]));
      if (key >= best.bound()) best.push({key, external_ids_ != nullptr ? external_ids_[rows[i]] : rows[i]});
    }
  }
  candidates.clear();
  raise_to(reached_[query], best.tightened_bound());
}

}  // namespace fastcal
