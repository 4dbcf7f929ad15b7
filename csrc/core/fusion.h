// fusion.h -- one ranked list out of several, query by query; docs/numerics.md has the formulas.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/lists.h"
#include "core/parallel.h"

namespace fastcal {

// What an entry of a list is worth: four functions of its rank, or its score.
enum class FuseValue { reciprocal, square, power, points, score };
// How the values of a document become its score.
enum class FuseCombine { sum, by_weights, mean, geometric, harmonic, logistic, min, max, median, copeland };
// What a run says of a document that it does not list.
enum class FuseMissing { skip, min, fill };
enum class FuseDuplicates { first, max, sum, error };
// Among equal scores: first run that lists the document, then id; or id alone, either way.
enum class FuseTies { source, id, id_desc };

// One source: query i owns [offsets[i], offsets[i + 1]). `scores` may be null unless the value is the score; `norm`, which needs
// no numbers of the caller's, maps them list by list.
struct RunView {
  const std::int64_t* ids;
  const float* scores;
  std::span<const std::int64_t> offsets;
  std::optional<AffineRule> norm;
};

struct FusionPlan {
  std::vector<RunView> runs;
  const ListKernels<float>* kernels;  // of norms
  const double* weights;              // one row of runs.size(), or one a query
  std::size_t weights_stride;         // 0 or runs.size()
  const double* factors;              // of a sum, by the number of runs that list the document
  FuseValue value;
  FuseCombine combine;
  double parameter;  // k, phi, or how close to 0 and 1 a probability may come
  double base;       // log-odds of the prior
  bool stretch;      // divide ranks by weights, which count no more then
  FuseMissing missing;
  double fill;
  FuseDuplicates duplicates;
  FuseTies ties;
  std::int64_t top_k;  // < 0 keeps the whole union

  std::size_t n_queries() const { return runs.front().offsets.size() - 1; }
  std::size_t length(std::size_t run, std::size_t query) const {
    return static_cast<std::size_t>(runs[run].offsets[query + 1] - runs[run].offsets[query]);
  }
  double weight(std::size_t run, std::size_t query) const { return weights[query * weights_stride + run]; }
  // What a run's value counts for: a weight that divides ranks does not multiply as well.
  double share(std::size_t run, std::size_t query) const { return stretch ? 1.0 : weight(run, query); }
};

// Lists stand one behind the other. Room for all entries or, if that is less, top_k a query.
struct FusedOutput {
  std::int64_t* offsets;  // n_queries + 1
  std::int64_t* ids;
  float* scores;
  std::int64_t* entries;  // (room, n_runs): position in the run's ids, or -1; null unless asked for
  double* terms;          // (room, n_runs); null together with entries
};

// -1, or the first run with a bad score or a list that has no norm, or else n_runs + the first run with a document listed twice under
// `error`.
std::int64_t fuse(const FusionPlan& plan, const FusedOutput& out, const CallContext& context);

}  // namespace fastcal
