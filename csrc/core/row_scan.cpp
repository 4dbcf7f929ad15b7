// row_scan.cpp -- row tasks, one collection a query and worker, merged at the end.
#include "core/row_scan.h"

#include "core/merge.h"

namespace fastcal {

// One worker's share of one group of queries.
template <typename Hits>
struct RowScan<Hits>::Worker {
  Worker(const KernelTable& kernels, const Corpus& corpus, const double* norms, Metric metric, const std::vector<Hits>& empty)
      : reader(kernels, corpus, norms, metric == Metric::cosine && (norms != nullptr || empty.size() > 1)),
        best(empty),
        scores(empty.size() * kMaxRowBlock) {}

  BlockReader reader;
  std::vector<Hits> best;
  std::vector<float> scores;
};

template <typename Hits>
std::optional<std::vector<Hits>> RowScan<Hits>::run(const QueryBlock& queries, const Gate& gate, const std::vector<Hits>& empty) {
  const ScanPlan plan(n_rows(), corpus_.dim, queries.n);
  const CallContext sized{worthwhile_threads(plan.nanoseconds, context_.num_threads), context_.stop};
  std::vector<std::optional<Worker>> workers(static_cast<std::size_t>(sized.num_threads));
  parallel_for(plan.n_tasks, sized, [&](std::size_t task, std::size_t worker) {
    auto& mine = workers[worker];
    if (!mine) mine.emplace(kernels_, corpus_, norms_, metric_, empty);
    scan(*mine, queries, gate, plan, task);
  });
  if (bad_.get() >= 0) return std::nullopt;
  return merge_workers(workers, empty, sized);
}

template <typename Hits>
void RowScan<Hits>::scan(Worker& worker, const QueryBlock& queries, const Gate& gate, const ScanPlan& plan, std::size_t task) {
  const ScoreRows kernel = kernels_.exact_scores[static_cast<int>(metric_)];
  const std::size_t end = std::min(n_rows(), (task + 1) * plan.per_task);
  for (std::size_t begin = task * plan.per_task; begin < end && !bad_.before(row(begin)); begin += plan.block) {
    const std::size_t n = std::min(plan.block, end - begin);
    const RowBlock block = listed_ ? worker.reader.gather(listed_->subspan(begin, n)) : worker.reader.read(begin, n);
    const std::size_t found = kernel(queries, block, worker.scores.data(), kMaxRowBlock);
    if (found < n) bad_.report(row(begin + found));
    for (std::size_t q = 0; q < queries.n && !context_.stop.check(); ++q)
      offer(worker.best[q], worker.scores.data() + q * kMaxRowBlock, gate.mask(q), begin, n);
  }
}

template <typename Hits>
void RowScan<Hits>::offer(Hits& best, const float* scores, const std::uint8_t* mask, std::size_t begin, std::size_t n) {
  const float sign = metric_ == Metric::euclidean ? -1.0f : 1.0f;
  for (std::size_t i = 0; i < n; ++i) {
    const float key = sign * scores[i];
    if (key < best.bound()) continue;
    const std::size_t r = row(begin + i);
    if (mask != nullptr && mask[r] == 0) continue;
    if (impossible(metric_, key)) return bad_.report(r);
    best.push({key, external_ids_ != nullptr ? external_ids_[r] : static_cast<std::int64_t>(r)});
  }
}

template class RowScan<TopK>;
template class RowScan<AllAbove>;

}  // namespace fastcal
