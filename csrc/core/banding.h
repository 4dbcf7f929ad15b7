// banding.h -- one pass over the corpus that puts every row into its band, for a group of queries.
#pragma once

#include <optional>
#include <vector>

#include "core/band_tally.h"
#include "core/queries.h"
#include "core/search.h"
#include "core/search_plan.h"

namespace fastcal {

class Banding {
 public:
  Banding(const KernelTable& kernels, const Corpus& corpus, const double* norms, Metric metric, const BandEdges& edges,
          const Sketch* sketch, const Sampling& sampling, const CallContext& context);

  // Queries that one pass serves well.
  std::size_t group_size() const;

  // One tally a query, numbered from `first` in the call, or nothing if a bad row was found (see bad()).
  std::optional<std::vector<BandTally>> run(QueryView queries, std::size_t first);

  // Exact scores of rows that a query's tally has put into the band that reaches `reached` edges; false if a row is bad.
  bool score(BlockReader& reader, const QueryBlock& query, std::span<const std::int64_t> rows, const std::size_t* reached, float* out);

  std::int64_t bad() const { return bad_.get(); }

 private:
  struct Part;
  struct Worker;
  Part pack(QueryView queries, const std::vector<std::size_t>& numbers, bool sketched) const;
  std::vector<bool> worth_sketching(const Part& part) const;
  template <typename Visit>
  bool collect(std::size_t n_tasks, double nanoseconds, const Part& part, std::vector<BandTally>& tallies, const Visit& visit);
  bool read_all(const Part& part, std::vector<BandTally>& tallies);
  bool read_straddlers(const Part& part, std::vector<BandTally>& tallies);
  void scan(Worker& worker, const Part& part, const ScanPlan& plan, std::size_t task);
  void band(Worker& worker, const Part& part, std::size_t first_block, std::size_t n_blocks) const;
  void settle(Worker& worker, const Part& part, std::size_t query, std::size_t first_row, Straddler* straddlers, std::size_t count);

  const KernelTable& kernels_;
  const Corpus& corpus_;
  const double* norms_;
  Metric metric_;
  const BandEdges& edges_;
  const Sketch* sketch_;
  Sampling sampling_;
  const CallContext& context_;
  FirstBad bad_;
};

}  // namespace fastcal
