// search_groups.h -- one search, whatever it collects: which way through the rows, and how many queries at a time.
#pragma once

#include <algorithm>
#include <vector>

#include "core/bounded_scan.h"
#include "core/cascade.h"
#include "core/queries.h"
#include "core/row_scan.h"
#include "core/search.h"

namespace fastcal {

// Raw rows are quantised on the way from this many queries on (20 k and 200 k x 384, two threads of a Zen 4 server, 2026-11).
inline constexpr std::size_t kWorthQuantising = 16, kWorthQuantisingRows = 1024;
// A mask that allows fewer than one row in so many is searched row by row: a listed row costs about as much as ten sketched ones.
inline constexpr std::size_t kSparse = 12;

// The best k of fewer than so many times k rows are found sooner by reading every row (Intel server with AVX-512 VNNI, 2026-11, ms
// through sketches : without; 100 k x 128, 20 queries: k = 10,000 505 : 173; 300 k x 256, 1 query: k = 10,000 25 : 32, 30,000 40 : 28).
inline constexpr std::size_t kSelective = 32, kSelectiveFew = 16;

// The rows that a mask allows, ascending.
std::vector<std::int64_t> allowed_rows(const std::uint8_t* mask, std::size_t n_rows);
// Whether all masks together allow few rows.
bool sparse(const Gate& gate, std::size_t n_queries, std::size_t n_rows);
// Queries that a scan serves in one pass: as many as keep their float64 copies in cache and their candidates in a bounded
// amount of memory, however large k is.
std::size_t scan_group(std::size_t k, std::size_t dim, int num_threads);

// Searches the queries group by group. `empty(q)` makes the collection of query q; `take(hits, first)` gets those of a group.
// Returns the first bad row, or -1.
template <typename Hits, typename Searcher, typename Empty, typename Take>
std::int64_t search_groups(Searcher& searcher, const SearchTask& task, std::size_t first, std::size_t end, std::size_t group,
                           const Empty& empty, const Take& take) {
  const std::size_t dim = task.corpus.dim;
  for (; first < end; first += group) {
    const std::size_t n = std::min(group, end - first);
    const Queries prepared(task.kernels, task.queries.data + first * dim, n, dim);
    std::vector<Hits> none;
    for (std::size_t q = first; q < first + n; ++q) none.push_back(empty(q));
    auto found = searcher.run(prepared.block(0, n), task.gate.from(first), none);
    if (!found) return searcher.bad();
    take(*found, first);
  }
  return -1;
}

// `k`: about how many hits a query may collect, which bounds the memory of a group.
template <typename Hits, typename Empty, typename Take>
std::int64_t search_all(const SearchTask& task, std::size_t k, const CallContext& context, const Empty& empty, const Take& take) {
  const Corpus& corpus = task.corpus;
  const std::size_t n = task.queries.n, group = scan_group(k, corpus.dim, context.num_threads);
  const std::size_t many = Cascade<Hits>::group_size(k, corpus.dim, context.num_threads);
  RowScan<Hits> scan(task.kernels, corpus, task.norms, task.metric, task.external_ids, context);
  if (sparse(task.gate, n, corpus.n_rows)) {
    const bool shared = task.gate.allow_stride == 0;
    for (std::size_t first = 0; first < n; first = shared ? n : first + 1) {
      const std::vector<std::int64_t> rows = allowed_rows(task.gate.mask(first), corpus.n_rows);
      scan.restrict_to(rows);
      const std::int64_t bad = search_groups<Hits>(scan, task, first, shared ? n : first + 1, group, empty, take);
      if (bad >= 0) return bad;
    }
    return -1;
  }
  const bool selective = !Hits::kBoundMoves || k < corpus.n_rows / (n <= 2 ? kSelectiveFew : kSelective);
  if (task.sketch != nullptr && selective) {
    Cascade<Hits> cascade(task.kernels, corpus, task.norms, *task.sketch, task.external_ids, context);
    return search_groups<Hits>(cascade, task, 0, n, many, empty, take);
  }
  if (selective && n >= kWorthQuantising && many >= kWorthQuantising && corpus.n_rows >= kWorthQuantisingRows) {
    SketchFrame frame(corpus.dim, task.metric);
    frame.choose(task.kernels, corpus, 1024);
    Cascade<Hits> cascade(task.kernels, corpus, task.norms, frame, task.external_ids, context);
    return search_groups<Hits>(cascade, task, 0, n, many, empty, take);
  }
  if constexpr (Hits::kBoundMoves) {
    if (BoundedScan::worthwhile(n, corpus.n_rows, k)) {
      BoundedScan bounded(task.kernels, corpus, task.norms, task.metric, task.external_ids, context);
      return search_groups<Hits>(bounded, task, 0, n, n, empty, take);
    }
  }
  return search_groups<Hits>(scan, task, 0, n, group, empty, take);
}

}  // namespace fastcal
