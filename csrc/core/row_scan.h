// row_scan.h -- the exact scan: every row, or every row of a list, is read and scored in float64.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/gate.h"
#include "core/hits.h"
#include "core/parallel.h"
#include "core/search_plan.h"

namespace fastcal {

template <typename Hits>
class RowScan {
 public:
  RowScan(const KernelTable& kernels, const Corpus& corpus, const double* norms, Metric metric, const std::int64_t* external_ids,
          const CallContext& context)
      : kernels_(kernels), corpus_(corpus), norms_(norms), metric_(metric), external_ids_(external_ids), context_(context) {}

  // Only these rows, ascending, from now on.
  void restrict_to(std::span<const std::int64_t> rows) { listed_ = rows; }

  // Fills copies of `empty`, one collection a query; nothing if a bad row was found (see bad()).
  std::optional<std::vector<Hits>> run(const QueryBlock& queries, const Gate& gate, const std::vector<Hits>& empty);

  std::int64_t bad() const { return bad_.get(); }

 private:
  struct Worker;
  void scan(Worker& worker, const QueryBlock& queries, const Gate& gate, const ScanPlan& plan, std::size_t task);
  void offer(Hits& best, const float* scores, const std::uint8_t* mask, std::size_t begin, std::size_t n);
  std::size_t n_rows() const { return listed_ ? listed_->size() : corpus_.n_rows; }
  std::size_t row(std::size_t i) const { return listed_ ? static_cast<std::size_t>((*listed_)[i]) : i; }

  const KernelTable& kernels_;
  const Corpus& corpus_;
  const double* norms_;
  Metric metric_;
  const std::int64_t* external_ids_;
  const CallContext& context_;
  std::optional<std::span<const std::int64_t>> listed_;
  FirstBad bad_;
};

}  // namespace fastcal
