// cascade.cpp -- half-byte codes for a few queries (few bytes), one-byte codes for many (few survivors), then the rows.
#include "core/cascade.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/merge.h"

namespace fastcal {
namespace {

// Up to this many queries the scan is bound by the bytes of the codes (500 k x 384 real embeddings, one and two threads of a Zen 4
// server, 2026-11, ms through half-byte codes : one-byte codes: 5 queries 9.7, 5.5 : 11.4, 6.5; 8 queries 14.1, 8.1 : 15.5, 8.6;
// 16 queries 24.8, 13.9 : 24.3, 12.9).
constexpr std::size_t kFewQueries = 8;
constexpr std::size_t kFewChunk = 64, kManyChunk = 16;  // blocks of a task: about 200 and 100 KiB at 384 dimensions

// Small corpora are cut finer: the first chunk of every thread is scanned with no bar to pass.
std::size_t few_chunk(std::size_t n_blocks) {
  return std::clamp<std::size_t>(n_blocks / 32, 8, kFewChunk);
}

// Chunks are visited in a scattered order: a corpus sorted by topic would otherwise raise the k-th best score step by step.
std::size_t scattering_stride(std::size_t n) {
  std::size_t stride = static_cast<std::size_t>(static_cast<double>(n) * 0.6180339887) | 1;
  while (std::gcd(stride, n) != 1) stride += 2;
  return stride;
}

void prefetch(const std::uint8_t* begin, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += 64) __builtin_prefetch(begin + at);
}

}  // namespace

// One group of queries over the whole corpus. `reached[q]` is a key that whatever is still wanted has to reach: the floor, or
// a k-th best key that some thread has seen (the true one can only be better).
template <typename Hits>
struct Cascade<Hits>::Pass {
  Pass(const SketchFrame& frame, std::size_t n_blocks, const QueryBlock& block, const Gate& g, const std::vector<Hits>& none, bool stored)
      : queries(block),
        gate(g),
        empty(none),
        few(stored && block.n <= kFewQueries),
        chunk(few ? few_chunk(n_blocks) : kManyChunk),
        reached(block.n) {
    for (std::size_t q = 0; q < block.n; ++q) prepared.emplace_back(frame, block.f32 + q * block.stride);
    for (const PreparedQuery& query : prepared) views.push_back(query.view());
    for (std::size_t q = 0; q < block.n; ++q) reached[q].store(empty[q].bound(), std::memory_order_relaxed);
  }

  float limit(std::size_t query) const { return prepared[query].limit(reached[query].load(std::memory_order_relaxed)); }

  // Whether any query may return any of these rows.
  bool wants(std::size_t first_row, std::size_t end) const {
    if (gate.allow == nullptr) return true;
    for (std::size_t q = 0; q < (gate.allow_stride == 0 ? 1 : queries.n); ++q)
      if (std::any_of(gate.mask(q) + first_row, gate.mask(q) + end, [](std::uint8_t allowed) { return allowed != 0; })) return true;
    return false;
  }

  const QueryBlock& queries;
  const Gate& gate;
  const std::vector<Hits>& empty;
  bool few;
  std::size_t chunk;
  std::vector<PreparedQuery> prepared;
  std::vector<SketchQuery> views;
  std::vector<std::atomic<float>> reached;
};

template <typename Hits>
struct Cascade<Hits>::Worker {
  Worker(const KernelTable& kernels, const Corpus& corpus, const double* norms, const SketchFrame& frame, const Pass& pass, bool stored)
      : reader(kernels, corpus, norms, frame.metric == Metric::cosine && norms != nullptr),
        best(pass.empty),
        limits(pass.queries.n),
        counts(pass.queries.n),
        survivors(pass.queries.n * pass.chunk * kSketchRows) {
    if (stored) return;
    plain_reader.emplace(kernels, corpus, nullptr, false);
    sketcher.emplace(kernels, frame);
    made.emplace(pass.chunk * frame.layout.record7());
  }

  BlockReader reader;
  std::vector<Hits> best;
  std::vector<float> limits;
  std::vector<std::uint32_t> counts;
  std::vector<Survivor> survivors, narrowed;
  // For sketches made on the way.
  std::optional<BlockReader> plain_reader;
  std::optional<BlockSketcher> sketcher;
  std::optional<AlignedBytes> made;
};

template <typename Hits>
Cascade<Hits>::Cascade(const KernelTable& kernels, const Corpus& corpus, const double* norms, const Sketch& sketch,
                       const std::int64_t* external_ids, const CallContext& context)
    : kernels_(kernels),
      corpus_(corpus),
      norms_(norms),
      frame_(sketch.frame()),
      sketch_(&sketch),
      external_ids_(external_ids),
      context_(context) {}

template <typename Hits>
Cascade<Hits>::Cascade(const KernelTable& kernels, const Corpus& corpus, const double* norms, const SketchFrame& frame,
                       const std::int64_t* external_ids, const CallContext& context)
    : kernels_(kernels), corpus_(corpus), norms_(norms), frame_(frame), sketch_(nullptr), external_ids_(external_ids), context_(context) {}

template <typename Hits>
std::size_t Cascade<Hits>::group_size(std::size_t k, std::size_t dim, int num_threads) {
  constexpr std::size_t kCandidateBytes = std::size_t{256} << 20, kQueryBytes = std::size_t{96} << 10;
  const std::size_t per_query = static_cast<std::size_t>(num_threads) * (2 * k + 16) * sizeof(Hit);
  return std::clamp<std::size_t>(std::min(kCandidateBytes / per_query, kQueryBytes / dim), 1, 256);
}

template <typename Hits>
std::optional<std::vector<Hits>> Cascade<Hits>::run(const QueryBlock& queries, const Gate& gate, const std::vector<Hits>& empty) {
  const std::size_t n_blocks = (corpus_.n_rows + kSketchRows - 1) / kSketchRows;
  Pass pass(frame_, n_blocks, queries, gate, empty, sketch_ != nullptr);
  const std::size_t n_chunks = (n_blocks + pass.chunk - 1) / pass.chunk;
  const std::size_t stride = scattering_stride(n_chunks);
  const double values = static_cast<double>(corpus_.n_rows) * static_cast<double>(corpus_.dim);
  const double nanoseconds = values * ((sketch_ != nullptr ? 0.02 : 0.5) + 0.005 * static_cast<double>(queries.n));
  const CallContext sized{worthwhile_threads(nanoseconds, context_.num_threads), context_.stop};
  std::vector<std::optional<Worker>> workers(static_cast<std::size_t>(sized.num_threads));
  parallel_for(n_chunks, sized, [&](std::size_t task, std::size_t index) {
    auto& worker = workers[index];
    if (!worker) worker.emplace(kernels_, corpus_, norms_, frame_, pass, sketch_ != nullptr);
    scan(*worker, pass, task * stride % n_chunks);
  });
  if (bad() >= 0) return std::nullopt;
  return merge_workers(workers, empty, sized);
}

// Records of n blocks. Rows that are quantised here are judged here, too.
template <typename Hits>
const std::uint8_t* Cascade<Hits>::records(Worker& worker, bool few, std::size_t first, std::size_t n) {
  if (sketch_ != nullptr) {
    few ? sketch_->require4(first, n) : sketch_->require7(first, n);
    return few ? sketch_->records4() + first * frame_.layout.record4() : sketch_->records7() + first * frame_.layout.record7();
  }
  for (std::size_t block = 0; block < n; ++block) {
    const std::size_t row = (first + block) * kSketchRows;
    double norms[kSketchRows];
    const RowBlock rows = worker.plain_reader->read(row, std::min(kSketchRows, corpus_.n_rows - row));
    measure_norms(kernels_, rows, corpus_.dim, row, norms, bad_);
    worker.sketcher->write(rows, nullptr, worker.made->data() + block * frame_.layout.record7());
  }
  return worker.made->data();
}

template <typename Hits>
void Cascade<Hits>::scan(Worker& worker, Pass& pass, std::size_t chunk) {
  const std::size_t first = chunk * pass.chunk, first_row = first * kSketchRows;
  const std::size_t end = std::min(corpus_.n_rows, first_row + pass.chunk * kSketchRows);
  const std::size_t n = (end - first_row + kSketchRows - 1) / kSketchRows, stride = pass.chunk * kSketchRows;
  if (bad_.before(first_row) || !pass.wants(first_row, end)) return;
  for (std::size_t q = 0; q < pass.queries.n; ++q) worker.limits[q] = pass.limit(q);
  std::fill(worker.counts.begin(), worker.counts.end(), 0u);
  const auto scan = (pass.few ? kernels_.scan4 : kernels_.scan7)[static_cast<int>(frame_.metric)];
  scan(pass.views.data(), pass.queries.n, records(worker, pass.few, first, n), n, frame_.layout, worker.limits.data(),
       worker.survivors.data(), stride, worker.counts.data());
  for (std::size_t q = 0; q < pass.queries.n; ++q) {
    if (worker.counts[q] == 0) continue;
    Survivor* survivors = worker.survivors.data() + q * stride;
    std::size_t count = keep_allowed(pass, q, first_row, survivors, worker.counts[q]);
    if (pass.few) count = keep_allowed(pass, q, first_row, survivors, narrow(worker, pass, q, first, survivors, count));
    refine(worker, pass, q, first_row, survivors, count);
  }
}

// Drops lanes behind the last row of the corpus and rows that the mask forbids.
template <typename Hits>
std::size_t Cascade<Hits>::keep_allowed(const Pass& pass, std::size_t query, std::size_t first_row, Survivor* survivors,
                                        std::size_t count) const {
  const std::uint8_t* mask = pass.gate.mask(query);
  const auto dropped = [&](const Survivor& s) {
    return first_row + s.row >= corpus_.n_rows || (mask != nullptr && mask[first_row + s.row] == 0);
  };
  return static_cast<std::size_t>(std::remove_if(survivors, survivors + count, dropped) - survivors);
}

// The one-byte codes of every block in which a row survived its half-byte codes; returns how many rows are left. The next such
// block is asked for while one is scanned: they lie anywhere in memory.
template <typename Hits>
std::size_t Cascade<Hits>::narrow(Worker& worker, Pass& pass, std::size_t query, std::size_t first_block, Survivor* survivors,
                                  std::size_t count) {
  const auto scan = kernels_.scan7[static_cast<int>(frame_.metric)];
  const std::size_t record = frame_.layout.record7();
  const auto block_of = [&](std::size_t i) { return static_cast<std::uint32_t>(survivors[i].row / kSketchRows); };
  worker.narrowed.resize(pass.chunk * kSketchRows);
  const float limit = worker.limits[query];
  std::uint32_t total = 0;
  for (std::size_t i = 0, next = 0; i < count; i = next) {
    const std::uint32_t block = block_of(i);
    while (next < count && block_of(next) == block) ++next;
    if (next < count) prefetch(sketch_->records7() + (first_block + block_of(next)) * record, record);
    std::uint32_t found = 0;
    sketch_->require7(first_block + block, 1);
    Survivor* target = worker.narrowed.data() + total;
    scan(&pass.views[query], 1, sketch_->records7() + (first_block + block) * record, 1, frame_.layout, &limit, target, 0, &found);
    for (std::uint32_t j = 0; j < found; ++j) target[j].row += block * static_cast<std::uint32_t>(kSketchRows);
    total += found;
  }
  std::copy_n(worker.narrowed.begin(), total, survivors);
  return total;
}

// The most promising rows first: they raise the bar for the others, which are then dropped unread. A heap gives them in that
// order at the price of those that are taken; a row without a bound (NaN) comes before all others.
template <typename Hits>
void Cascade<Hits>::refine(Worker& worker, Pass& pass, std::size_t query, std::size_t first_row, Survivor* survivors, std::size_t count) {
  constexpr std::size_t kBatch = 16;
  const auto promise = [](const Survivor& s) { return s.goodness == s.goodness ? s.goodness : std::numeric_limits<float>::infinity(); };
  const auto less = [&promise](const Survivor& a, const Survivor& b) { return promise(a) < promise(b); };
  const bool ordered = Hits::kBoundMoves && count > kBatch;
  if (ordered) std::make_heap(survivors, survivors + count, less);
  Survivor batch[kBatch];
  while (count > 0) {
    const float limit = pass.limit(query);
    if (ordered && survivors[0].goodness <= limit) return;
    std::size_t n = 0;
    while (n < kBatch && count > 0) {
      if (ordered) std::pop_heap(survivors, survivors + count, less);
      const Survivor& next = survivors[--count];
      if (!(next.goodness <= limit)) batch[n++] = next;
    }
    if (n > 0) score(worker, pass, query, first_row, batch, n);
  }
}

// Whether a row's score lies outside its own bounds: then it is not the row that was sketched.
template <typename Hits>
bool Cascade<Hits>::changed(const Pass& pass, std::size_t query, std::size_t row, float goodness, float key) const {
  const PreparedQuery& prepared = pass.prepared[query];
  if (goodness <= prepared.limit(key)) return true;
  if (sketch_ == nullptr) return false;  // measured just now
  const SketchLayout& layout = frame_.layout;
  const std::uint8_t* record = sketch_->records7() + row / kSketchRows * layout.record7();
  const float* facts = reinterpret_cast<const float*>(record + layout.code_bytes7()) + row % kSketchRows;
  const float norm = layout.scaled ? facts[3 * kSketchRows] : 1.0f;
  const float above = std::nextafterf(key, std::numeric_limits<float>::infinity());
  return prepared.floor(above) <= prepared.lower_goodness(goodness, facts[2 * kSketchRows], norm);
}

template <typename Hits>
void Cascade<Hits>::score(Worker& worker, Pass& pass, std::size_t query, std::size_t first_row, const Survivor* survivors,
                          std::size_t count) {
  const Metric metric = frame_.metric;
  std::int64_t rows[kMaxRowBlock];
  float scores[kMaxRowBlock];
  for (std::size_t i = 0; i < count; ++i) rows[i] = static_cast<std::int64_t>(first_row + survivors[i].row);
  const QueryBlock one = one_of(pass.queries, query);
  const std::size_t finite =
      kernels_.exact_scores[static_cast<int>(metric)](one, worker.reader.gather({rows, count}), scores, kMaxRowBlock);
  Hits& best = worker.best[query];
  for (std::size_t i = 0; i < count; ++i) {
    const float key = metric == Metric::euclidean ? -scores[i] : scores[i];
    if (i >= finite || changed(pass, query, static_cast<std::size_t>(rows[i]), survivors[i].goodness, key)) {
      bad_.report(static_cast<std::size_t>(rows[i]));
      return;
    }
    if (key >= best.bound()) best.push({key, external_ids_ != nullptr ? external_ids_[rows[i]] : rows[i]});
  }
  raise_to(pass.reached[query], best.tightened_bound());
}

template class Cascade<TopK>;
template class Cascade<AllAbove>;

}  // namespace fastcal
