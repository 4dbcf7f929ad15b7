// merge.h -- what the workers of a search found, put together query by query.
#pragma once

#include <optional>
#include <vector>

#include "core/hits.h"
#include "core/parallel.h"

namespace fastcal {

// `Worker` has a member `best`, one collection a query; workers that took no part are empty. `merged` are empty collections.
template <typename Worker, typename Hits>
std::vector<Hits> merge_workers(std::vector<std::optional<Worker>>& workers, std::vector<Hits> merged, const CallContext& context) {
  parallel_for(merged.size(), context, [&](std::size_t q, std::size_t) {
    for (auto& worker : workers)
      if (worker) merged[q].absorb(worker->best[q]);
  });
  return merged;
}

}  // namespace fastcal
