// search.h -- exact scores, top-k and rescoring over borrowed rows.
#pragma once

#include <cstdint>
#include <vector>

#include "core/corpus.h"
#include "core/gate.h"
#include "core/hits.h"
#include "core/parallel.h"
#include "core/sketch.h"
#include "kernels/kernel_table.h"

namespace fastcal {

// Every function returns the first row that holds NaN or infinity, or -1. Queries are finite, row-major (n, dim).
struct QueryView {
  const float* data;
  std::size_t n;
};

std::int64_t row_norms(const KernelTable& kernels, const Corpus& corpus, double* out, const CallContext& context);

enum class Precision { fast, exact };

// out: (queries.n, corpus.n_rows), rows of it out_stride apart. `norms` may be null: they are computed on the way.
std::int64_t scores(const KernelTable& kernels, QueryView queries, const Corpus& corpus, const double* norms, Metric metric,
                    Precision precision, float* out, std::size_t out_stride, const CallContext& context);

// Row-major outputs (queries.n, k), whose rows may be strided; untouched if a bad row is found or the call is stopped.
struct TopKOutput {
  float* scores;
  std::int64_t* ids;
  std::size_t scores_stride;
  std::size_t ids_stride;
  std::size_t k;
};

// What is searched, and what is known about it: everything after `metric` may be left out. A sketch is one of this corpus
// and metric.
struct SearchTask {
  const KernelTable& kernels;
  QueryView queries;
  const Corpus& corpus;
  Metric metric;
  const double* norms = nullptr;
  const std::int64_t* external_ids = nullptr;
  const Sketch* sketch = nullptr;
  Gate gate = {};
};

std::int64_t topk(const SearchTask& task, const TopKOutput& out, const CallContext& context);

// Every row that passes the gate, best first. Above `limit` rows in all, hits are counted (`found`) and not kept.
struct RangeHits {
  std::int64_t bad = -1;
  std::size_t found = 0;
  std::vector<std::vector<Hit>> hits;  // a query
};
RangeHits range_search(const SearchTask& task, std::size_t limit, const CallContext& context);

// ids: (queries.n, m); -1 gives NaN; every other id is a row.
std::int64_t rescore(const KernelTable& kernels, QueryView queries, const Corpus& corpus, const std::int64_t* ids, std::size_t m,
                     Metric metric, float* out, std::size_t out_stride, const CallContext& context);

// Rounds row-major (rows, columns) once to float32; first row with a non-finite result, or -1.
std::int64_t round_to_float32(const KernelTable& kernels, const double* values, std::size_t rows, std::size_t columns, float* out,
                              const CallContext& context);

}  // namespace fastcal
