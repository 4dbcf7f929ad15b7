// cascade.h -- exact search that reads whole rows only where their sketch's bound reaches what is wanted: the k-th best score
// so far, or a floor.
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "core/gate.h"
#include "core/hits.h"
#include "core/queries.h"
#include "core/search_plan.h"
#include "core/sketch.h"

namespace fastcal {

template <typename Hits>
class Cascade {
 public:
  // Through stored sketches.
  Cascade(const KernelTable& kernels, const Corpus& corpus, const double* norms, const Sketch& sketch, const std::int64_t* external_ids,
          const CallContext& context);
  // Without: one-byte codes are made of a chunk of rows at a time, and forgotten; for many queries.
  Cascade(const KernelTable& kernels, const Corpus& corpus, const double* norms, const SketchFrame& frame, const std::int64_t* external_ids,
          const CallContext& context);

  // Queries that one pass over the sketches serves well.
  static std::size_t group_size(std::size_t k, std::size_t dim, int num_threads);

  // Fills copies of `empty`, one collection a query; nothing if a row turned out to be bad, or to differ from the one that
  // was sketched (see bad()).
  std::optional<std::vector<Hits>> run(const QueryBlock& queries, const Gate& gate, const std::vector<Hits>& empty);

  std::int64_t bad() const { return bad_.get(); }

 private:
  struct Worker;
  struct Pass;
  void scan(Worker& worker, Pass& pass, std::size_t chunk);
  const std::uint8_t* records(Worker& worker, bool few, std::size_t first, std::size_t n);
  std::size_t keep_allowed(const Pass& pass, std::size_t query, std::size_t first_row, Survivor* survivors, std::size_t count) const;
  std::size_t narrow(Worker& worker, Pass& pass, std::size_t query, std::size_t first_block, Survivor* survivors, std::size_t count);
  void refine(Worker& worker, Pass& pass, std::size_t query, std::size_t first_row, Survivor* survivors, std::size_t count);
  bool changed(const Pass& pass, std::size_t query, std::size_t row, float goodness, float key) const;
  void score(Worker& worker, Pass& pass, std::size_t query, std::size_t first_row, const Survivor* survivors, std::size_t count);

  const KernelTable& kernels_;
  const Corpus& corpus_;
  const double* norms_;
  const SketchFrame& frame_;
  const Sketch* sketch_;
  const std::int64_t* external_ids_;
  const CallContext& context_;
  FirstBad bad_;
};

}  // namespace fastcal
