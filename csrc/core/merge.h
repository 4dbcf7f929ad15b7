// merge.h -- what the workers of a search found, put together query by query.
#pragma once

#include <optional>
#include <vector>

#include "core/parallel.h"
#include "core/topk.h"

namespace fastcal {

// `Worker` has a member `best`, one TopK a query; workers that took no part are empty.
template <typename Worker>
std::vector<TopK> merge_workers(const std::vector<std::optional<Worker>>& workers, std::size_t n_queries, std::size_t k,
                                const CallContext& context) {
  std::vector<TopK> merged(n_queries, TopK(k));
  parallel_for(n_queries, context, [&](std::size_t q, std::size_t) {
    for (const auto& worker : workers)
      if (worker) merged[q].absorb(worker->best[q]);
  });
  return merged;
}

}  // namespace fastcal
