// cascade.h -- exact top-k that reads whole rows only where their sketch's bound reaches the k-th best score so far.
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "core/queries.h"
#include "core/search_plan.h"
#include "core/sketch.h"
#include "core/topk.h"

namespace fastcal {

class Cascade {
 public:
  Cascade(const KernelTable& kernels, const Corpus& corpus, const double* norms, const Sketch& sketch, const std::int64_t* external_ids,
          const CallContext& context);

  // Queries that one pass over the sketches serves well.
  static std::size_t group_size(std::size_t k, std::size_t dim, int num_threads);

  // Best k per query, or nothing if a row turned out to differ from the one that was sketched (see bad()).
  std::optional<std::vector<TopK>> run(const QueryBlock& queries, std::size_t k);

  std::int64_t bad() const { return bad_.get(); }

 private:
  struct Worker;
  struct Pass;
  void scan(Worker& worker, Pass& pass, std::size_t chunk);
  std::size_t narrow(Worker& worker, Pass& pass, std::size_t query, std::size_t first_block, Survivor* survivors, std::size_t count);
  void refine(Worker& worker, Pass& pass, std::size_t query, std::size_t first_row, Survivor* survivors, std::size_t count);
  void score(Worker& worker, Pass& pass, std::size_t query, std::size_t first_row, const Survivor* survivors, std::size_t count);

  const KernelTable& kernels_;
  const Corpus& corpus_;
  const double* norms_;
  const Sketch& sketch_;
  const std::int64_t* external_ids_;
  const CallContext& context_;
  FirstBad bad_;
};

}  // namespace fastcal
