// banding.cpp -- rows whose two bounds agree about the band are counted unread, the others are scored; or all are scored.
#include "core/banding.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace fastcal {
namespace {

// Share of straddling rows up to which the sketch is worth it: a gathered row costs a query about 3.5 times as much as a row of
// a full scan. 1 M x 384 cosine, one thread of a busy Zen 4 server, 2026-11, medians of 3 to 5, sketch against full scan: 1 query
// 33 : 81 ms at share 0, 55 : 84 at 0.07, 98 : 57 at 0.33; 16 queries 77 : 336, 285 : 376 at 0.09, 616 : 439 at 0.32.
constexpr double kWorthwhileShare = 0.15;
constexpr std::size_t kSampleBlocks = 64;  // of the sketch, to find out how many rows straddle an edge

// Blocks of a task: their records should stay in a quarter of a 1 MiB second-level cache.
std::size_t blocks_per_task(const SketchLayout& layout) {
  return std::clamp<std::size_t>((std::size_t{256} << 10) / layout.record7(), 1, 64);
}

}  // namespace

// Queries that are served in the same way. `numbers[i]` is the number of query i in its group.
struct Banding::Part {
  std::vector<std::size_t> numbers;
  Queries queries;
  QueryBlock block;
  std::vector<PreparedQuery> prepared;
  std::vector<SketchQuery> views;
  std::vector<float> limits, floors;  // (queries, edges)
  std::vector<SketchEdges> edges;
};

struct Banding::Worker {
  Worker(const KernelTable& kernels, const Corpus& corpus, const double* norms, Metric metric, std::vector<BandTally> empty)
      : reader(kernels, corpus, norms, metric == Metric::cosine), tallies(std::move(empty)) {}

  // Room for n_rows rows a query.
  void reserve(std::size_t n_queries, std::size_t n_rows) {
    stride = n_rows;
    bands.resize(n_queries * n_rows);
    straddlers.resize(n_queries * n_rows);
    counts.resize(n_queries);
  }

  BlockReader reader;
  std::vector<BandTally> tallies;
  std::vector<float> scores;
  std::size_t stride = 0;
  std::vector<std::uint8_t> bands;
  std::vector<Straddler> straddlers;
  std::vector<std::uint32_t> counts;
};

Banding::Banding(const KernelTable& kernels, const Corpus& corpus, const double* norms, Metric metric, const BandEdges& edges,
                 const Sketch* sketch, const Sampling& sampling, const CallContext& context)
    : kernels_(kernels),
      corpus_(corpus),
      norms_(norms),
      metric_(metric),
      edges_(edges),
      sketch_(edges.size() < kStraddles ? sketch : nullptr),
      sampling_(sampling),
      context_(context) {}

std::size_t Banding::group_size() const {
  constexpr std::size_t kTallyBytes = std::size_t{256} << 20, kQueryBytes = std::size_t{96} << 10;
  const std::size_t per_query = static_cast<std::size_t>(context_.num_threads + 1) * BandTally::bytes(edges_, sampling_.size);
  return std::clamp<std::size_t>(std::min(kTallyBytes / per_query, kQueryBytes / corpus_.dim), 1, 64);
}

Banding::Part Banding::pack(QueryView queries, const std::vector<std::size_t>& numbers, bool sketched) const {
  std::vector<float> values;
  for (const std::size_t q : numbers) values.insert(values.end(), queries.data + q * corpus_.dim, queries.data + (q + 1) * corpus_.dim);
  Part part{numbers, Queries(kernels_, values.data(), numbers.size(), corpus_.dim), {}, {}, {}, {}, {}, {}};
  part.block = part.queries.block(0, numbers.size());
  if (!sketched) return part;
  for (std::size_t q = 0; q < numbers.size(); ++q) part.prepared.emplace_back(sketch_->frame(), part.block.f32 + q * part.block.stride);
  for (const PreparedQuery& query : part.prepared) {
    part.views.push_back(query.view());
    for (std::size_t i = 0; i < edges_.size(); ++i) {
      const float cut = edges_.cut(i);
      part.limits.push_back(std::isnan(cut) ? std::numeric_limits<float>::infinity() : query.limit(cut));
      part.floors.push_back(std::isnan(cut) ? cut : query.floor(cut));
    }
  }
  for (std::size_t q = 0; q < numbers.size(); ++q)
    part.edges.push_back({part.limits.data() + q * edges_.size(), part.floors.data() + q * edges_.size(), edges_.size()});
  return part;
}

// Fills worker.bands, .straddlers and .counts for a run of blocks. The one place that reads records of the sketch.
void Banding::band(Worker& worker, const Part& part, std::size_t first_block, std::size_t n_blocks) const {
  std::fill(worker.counts.begin(), worker.counts.end(), 0u);
  sketch_->require7(first_block, n_blocks);
  const std::uint8_t* records = sketch_->records7() + first_block * sketch_->layout().record7();
  kernels_.band7[static_cast<int>(metric_)](part.views.data(), part.edges.data(), part.block.n, records, n_blocks, sketch_->layout(),
                                            worker.bands.data(), worker.straddlers.data(), worker.stride, worker.counts.data());
}

// Whether reading the rows that straddle an edge costs less than reading all, judged by a strided sample of blocks.
std::vector<bool> Banding::worth_sketching(const Part& part) const {
  const std::size_t n = std::clamp<std::size_t>(sketch_->n_blocks() / 16, 1, kSampleBlocks);
  Worker worker(kernels_, corpus_, norms_, metric_, {});
  worker.reserve(part.block.n, kSketchRows);
  std::vector<std::size_t> straddling(part.block.n);
  for (std::size_t i = 0; i < n; ++i) {
    band(worker, part, i * sketch_->n_blocks() / n, 1);
    for (std::size_t q = 0; q < part.block.n; ++q) straddling[q] += worker.counts[q];
  }
  std::vector<bool> worth(part.block.n);
  for (std::size_t q = 0; q < part.block.n; ++q)
    worth[q] = static_cast<double>(straddling[q]) < kWorthwhileShare * static_cast<double>(n * kSketchRows);
  return worth;
}

std::optional<std::vector<BandTally>> Banding::run(QueryView queries, std::size_t first) {
  std::vector<BandTally> tallies;
  for (std::size_t q = 0; q < queries.n; ++q) tallies.emplace_back(edges_, sampling_, first + q);
  std::vector<std::size_t> numbers(queries.n), all, few;
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  if (sketch_ == nullptr) {
    if (!read_all(pack(queries, numbers, false), tallies)) return std::nullopt;
    return tallies;
  }
  Part part = pack(queries, numbers, true);
  const std::vector<bool> worth = worth_sketching(part);
  for (const std::size_t q : numbers) (worth[q] ? few : all).push_back(q);
  if (!few.empty() && !all.empty()) part = pack(queries, few, true);
  if (!few.empty() && !read_straddlers(part, tallies)) return std::nullopt;
  if (!all.empty() && !read_all(pack(queries, all, false), tallies)) return std::nullopt;
  return tallies;
}

// visit(worker, task) on all threads; what the workers found is added to `tallies`.
template <typename Visit>
bool Banding::collect(std::size_t n_tasks, double nanoseconds, const Part& part, std::vector<BandTally>& tallies, const Visit& visit) {
  const CallContext sized{worthwhile_threads(nanoseconds, context_.num_threads), context_.stop};
  std::vector<BandTally> empty;
  for (std::size_t q = 0; q < part.block.n; ++q) empty.push_back(tallies[part.numbers[q]]);
  std::vector<std::optional<Worker>> workers(static_cast<std::size_t>(sized.num_threads));
  parallel_for(n_tasks, sized, [&](std::size_t task, std::size_t index) {
    auto& worker = workers[index];
    if (!worker) worker.emplace(kernels_, corpus_, norms_, metric_, empty);
    visit(*worker, task);
  });
  if (bad() >= 0) return false;
  parallel_for(part.block.n, sized, [&](std::size_t q, std::size_t) {
    for (const auto& worker : workers)
      if (worker) tallies[part.numbers[q]].absorb(worker->tallies[q]);
  });
  return true;
}

bool Banding::read_all(const Part& part, std::vector<BandTally>& tallies) {
  const ScanPlan plan(corpus_.n_rows, corpus_.dim, part.block.n);
  return collect(plan.n_tasks, plan.nanoseconds, part, tallies, [&](Worker& worker, std::size_t task) { scan(worker, part, plan, task); });
}

void Banding::scan(Worker& worker, const Part& part, const ScanPlan& plan, std::size_t task) {
  const ScoreRows kernel = kernels_.exact_scores[static_cast<int>(metric_)];
  worker.scores.resize(part.block.n * kMaxRowBlock);
  const std::size_t end = std::min(corpus_.n_rows, (task + 1) * plan.per_task);
  for (std::size_t begin = task * plan.per_task; begin < end && !bad_.before(begin); begin += plan.block) {
    const std::size_t n = std::min(plan.block, end - begin);
    const std::size_t found = kernel(part.block, worker.reader.read(begin, n), worker.scores.data(), kMaxRowBlock);
    if (found < n) bad_.report(begin + found);
    for (std::size_t q = 0; q < part.block.n && !context_.stop.check(); ++q)
      for (std::size_t i = 0; i < n; ++i) worker.tallies[q].take(begin + i, edges_.reached(worker.scores[q * kMaxRowBlock + i]));
  }
}

bool Banding::read_straddlers(const Part& part, std::vector<BandTally>& tallies) {
  const std::size_t per_task = blocks_per_task(sketch_->layout()), n_blocks = sketch_->n_blocks();
  const double values = static_cast<double>(corpus_.n_rows) * static_cast<double>(corpus_.dim);
  const double nanoseconds = values * (0.02 + 0.01 * static_cast<double>(part.block.n));
  return collect((n_blocks + per_task - 1) / per_task, nanoseconds, part, tallies, [&](Worker& worker, std::size_t task) {
    const std::size_t first = task * per_task, count = std::min(per_task, n_blocks - first);
    const std::size_t first_row = first * kSketchRows, n_rows = std::min(count * kSketchRows, corpus_.n_rows - first_row);
    worker.reserve(part.block.n, per_task * kSketchRows);
    band(worker, part, first, count);
    for (std::size_t q = 0; q < part.block.n && !context_.stop.check(); ++q) {
      worker.tallies[q].take(first_row, worker.bands.data() + q * worker.stride, n_rows);
      settle(worker, part, q, first_row, worker.straddlers.data() + q * worker.stride, worker.counts[q]);
    }
  });
}

void Banding::settle(Worker& worker, const Part& part, std::size_t query, std::size_t first_row, Straddler* straddlers, std::size_t count) {
  while (count > 0 && first_row + straddlers[count - 1].row >= corpus_.n_rows) --count;  // lanes behind the last row
  const QueryBlock one = one_of(part.block, query);
  const PreparedQuery& prepared = part.prepared[query];
  std::int64_t rows[kMaxRowBlock];
  float scores[kMaxRowBlock];
  for (std::size_t begin = 0; begin < count; begin += kMaxRowBlock) {
    const std::size_t n = std::min(kMaxRowBlock, count - begin);
    for (std::size_t i = 0; i < n; ++i) rows[i] = static_cast<std::int64_t>(first_row + straddlers[begin + i].row);
    const std::size_t finite = kernels_.exact_scores[static_cast<int>(metric_)](one, worker.reader.gather({rows, n}), scores, kMaxRowBlock);
    for (std::size_t i = 0; i < n; ++i) {
      const Straddler& bounds = straddlers[begin + i];
      const float key = edges_.key(scores[i]), above = std::nextafterf(key, std::numeric_limits<float>::infinity());
      // A score that is not finite, or outside its own bounds, belongs to a row that was changed.
      if (i >= finite || bounds.upper <= prepared.limit(key) || prepared.floor(above) <= bounds.lower) {
        bad_.report(static_cast<std::size_t>(rows[i]));
        return;
      }
      worker.tallies[query].take(static_cast<std::size_t>(rows[i]), edges_.reached(scores[i]));
    }
  }
}

bool Banding::score(BlockReader& reader, const QueryBlock& query, std::span<const std::int64_t> rows, const std::size_t* reached,
                    float* out) {
  const std::size_t finite = kernels_.exact_scores[static_cast<int>(metric_)](query, reader.gather(rows), out, kMaxRowBlock);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i < finite && edges_.reached(out[i]) == reached[i]) continue;
    bad_.report(static_cast<std::size_t>(rows[i]));
    return false;
  }
  return true;
}

}  // namespace fastcal
