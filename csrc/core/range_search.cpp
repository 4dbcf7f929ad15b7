// range_search.cpp -- every row that reaches a floor.
#include "core/float_env.h"
#include "core/search_groups.h"

namespace fastcal {

RangeHits range_search(const SearchTask& task, std::size_t limit, const CallContext& context) {
  constexpr std::size_t kUsual = 1024;
  const FloatEnvironment environment;
  RangeHits result;
  result.hits.resize(task.queries.n);
  HitBudget budget{limit};
  const auto take = [&](std::vector<AllAbove>& group, std::size_t first) {
    if (budget.found.load() > limit) return;
    parallel_for(group.size(), context, [&](std::size_t q, std::size_t) { result.hits[first + q] = group[q].sorted(); });
  };
  const auto empty = [&](std::size_t q) { return AllAbove(task.gate.floor(q, task.metric), budget); };
  result.bad = search_all<AllAbove>(task, kUsual, context, empty, take);
  result.found = budget.found.load();
  return result;
}

}  // namespace fastcal
