// fusion.cpp -- query by query: gather, combine, rank, write; each worker has its own memory and allocates none once it is warm.
#include "core/fusion.h"

#include <algorithm>
#include <memory>

#include "core/check.h"
#include "core/float_env.h"
#include "core/fusion_combine.h"
#include "core/fusion_order.h"

namespace fastcal {
namespace {

struct Workspace {
  Workspace(const FusionPlan& plan, StopToken& stop) : combiner(plan, stop) {}
  GatheredLists lists;
  Combiner combiner;
  DocumentOrder order;
  std::vector<float> scores;
  std::vector<std::uint32_t> row_of;
  std::int64_t first_bad = -1, first_twice = -1;
};

void note(std::int64_t& first, std::int64_t run) {
  if (run >= 0 && (first < 0 || run < first)) first = run;
}

// Writes at `at` and returns how many.
std::size_t fuse_query(const FusionPlan& plan, std::size_t query, Workspace& space, const FusedOutput& out, std::size_t at) {
  space.lists.read(plan, query);
  const std::span<const FusedDocument> documents = space.lists.documents();
  if (plan.duplicates == FuseDuplicates::error)
    for (std::size_t r = 0; r < plan.runs.size(); ++r)
      if (space.lists.duplicates(r) > 0) note(space.first_twice, static_cast<std::int64_t>(r));
  const std::vector<double>& totals = space.combiner.scores(space.lists, query, space.first_bad);
  if (space.first_bad >= 0) return 0;  // a NaN has no rank
  space.scores.resize(documents.size());
  for (std::size_t d = 0; d < documents.size(); ++d) space.scores[d] = static_cast<float>(totals[d]) + 0.0f;
  const std::span<const std::uint32_t> ranked = space.order.rank(documents, space.scores, plan.ties, plan.top_k);
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    out.ids[at + i] = documents[ranked[i]].id;
    out.scores[at + i] = space.scores[ranked[i]];
  }
  if (out.entries != nullptr) {
    space.row_of.assign(documents.size(), Combiner::kNotKept);
    for (std::size_t i = 0; i < ranked.size(); ++i) space.row_of[ranked[i]] = static_cast<std::uint32_t>(i);
    const std::size_t row = at * plan.runs.size();
    space.combiner.components(space.lists, query, space.row_of, out.entries + row, out.terms + row);
  }
  return ranked.size();
}

template <typename T>
void move_down(T* data, std::size_t width, std::size_t from, std::size_t to, std::size_t count) {
  if (data != nullptr && from != to) std::copy(data + from * width, data + (from + count) * width, data + to * width);
}

// Closes the gaps: query i has out.offsets[i + 1] entries, written from starts[i].
void close_ranks(const std::vector<std::size_t>& starts, std::size_t n_runs, const FusedOutput& out) {
  std::size_t end = 0;
  out.offsets[0] = 0;
  for (std::size_t query = 0; query + 1 < starts.size(); ++query) {
    const auto count = static_cast<std::size_t>(out.offsets[query + 1]);
    move_down(out.ids, 1, starts[query], end, count);
    move_down(out.scores, 1, starts[query], end, count);
    move_down(out.entries, n_runs, starts[query], end, count);
    move_down(out.terms, n_runs, starts[query], end, count);
    out.offsets[query + 1] = static_cast<std::int64_t>(end += count);
  }
}

}  // namespace

std::int64_t fuse(const FusionPlan& plan, const FusedOutput& out, const CallContext& context) {
  const FloatEnvironment environment;
  const std::size_t n_queries = plan.n_queries(), n_runs = plan.runs.size();
  std::vector<std::size_t> starts(n_queries + 1, 0);
  std::size_t entries = 0;
  for (std::size_t query = 0; query < n_queries; ++query) {
    std::size_t most = 0;
    for (std::size_t r = 0; r < n_runs; ++r) most += plan.length(r, query);
    entries += most;
    starts[query + 1] = starts[query] + (plan.top_k < 0 ? most : std::min(most, static_cast<std::size_t>(plan.top_k)));
  }
  constexpr std::size_t kTaskEntries = std::size_t{1} << 14;
  const std::size_t per_query = std::max<std::size_t>(1, entries / std::max<std::size_t>(1, n_queries));
  const std::size_t per_task = std::max<std::size_t>(1, kTaskEntries / per_query);
  const CallContext sized{worthwhile_threads(20.0 * static_cast<double>(entries), context.num_threads), context.stop};
  std::vector<std::unique_ptr<Workspace>> spaces(static_cast<std::size_t>(sized.num_threads));
  parallel_for((n_queries + per_task - 1) / per_task, sized, [&](std::size_t task, std::size_t worker) {
    if (spaces[worker] == nullptr) spaces[worker] = std::make_unique<Workspace>(plan, context.stop);
    const std::size_t end = std::min(n_queries, (task + 1) * per_task);
    for (std::size_t query = task * per_task; query < end; ++query) {
      const std::size_t count = fuse_query(plan, query, *spaces[worker], out, starts[query]);
      FASTCAL_ASSERT(starts[query] + count <= starts[query + 1]);
      out.offsets[query + 1] = static_cast<std::int64_t>(count);
    }
  });
  std::int64_t bad = -1, twice = -1;
  for (const std::unique_ptr<Workspace>& space : spaces) {
    if (space == nullptr) continue;
    note(bad, space->first_bad);
    note(twice, space->first_twice);
  }
  close_ranks(starts, n_runs, out);
  return bad >= 0 ? bad : (twice >= 0 ? static_cast<std::int64_t>(n_runs) + twice : -1);
}

}  // namespace fastcal
