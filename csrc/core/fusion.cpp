// fusion.cpp -- a small open-addressing table per worker gathers a query's documents; no allocation once it is warm.
#include "core/fusion.h"

#include <algorithm>
#include <bit>
#include <memory>

#include "core/check.h"

namespace fastcal {
namespace {

struct Document {
  std::int64_t id;
  double sum;
  std::uint32_t first_run;
  std::uint32_t last_run;  // a second entry in the same list is skipped
};

struct Fused {
  float score;
  std::uint32_t first_run;
  std::int64_t id;
};

// Score descending, then the first run that lists the document, then id ascending.
bool ranks_before(const Fused& a, const Fused& b) {
  if (a.score != b.score) return a.score > b.score;
  if (a.first_run != b.first_run) return a.first_run < b.first_run;
  return a.id < b.id;
}

class DocumentTable {
 public:
  void reset(std::size_t most_documents) {
    const std::size_t slots = std::bit_ceil(std::max<std::size_t>(16, 2 * most_documents));
    slots_.assign(slots, kEmpty);
    shift_ = 64 - std::countr_zero(slots);
    documents_.clear();
  }

  // Adds to the document unless this run has listed it before.
  void add(std::int64_t id, std::uint32_t run, double contribution) {
    std::size_t slot = (static_cast<std::uint64_t>(id) * 0x9e3779b97f4a7c15u) >> shift_;
    for (; slots_[slot] != kEmpty; slot = (slot + 1) & (slots_.size() - 1)) {
      Document& document = documents_[slots_[slot]];
      if (document.id != id) continue;
      if (document.last_run != run) document.sum += contribution;
      document.last_run = run;
      return;
    }
    slots_[slot] = static_cast<std::uint32_t>(documents_.size());
    documents_.push_back({id, 0.0 + contribution, run, run});
  }

  const std::vector<Document>& documents() const { return documents_; }

 private:
  static constexpr std::uint32_t kEmpty = 0xffffffffu;
  std::vector<std::uint32_t> slots_;
  std::vector<Document> documents_;
  int shift_ = 60;
};

struct Workspace {
  DocumentTable table;
  std::vector<Fused> fused;
};

void gather(const std::vector<RunView>& runs, std::size_t query, FuseMethod method, double k, DocumentTable& table) {
  std::size_t most = 0;
  for (const RunView& run : runs) most += static_cast<std::size_t>(run.offsets[query + 1] - run.offsets[query]);
  table.reset(most);
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const RunView& run = runs[r];
    const std::int64_t begin = run.offsets[query];
    for (std::int64_t i = begin; i < run.offsets[query + 1]; ++i) {
      const double contribution = method == FuseMethod::rrf ? run.weight / (k + static_cast<double>(i - begin + 1))
                                                            : run.weight * static_cast<double>(run.scores[i]);
      table.add(run.ids[i], static_cast<std::uint32_t>(r), contribution);
    }
  }
}

void rank(Workspace& space, std::int64_t top_k) {
  space.fused.clear();
  for (const Document& d : space.table.documents()) space.fused.push_back({static_cast<float>(d.sum) + 0.0f, d.first_run, d.id});
  const std::size_t kept = top_k < 0 ? space.fused.size() : std::min(space.fused.size(), static_cast<std::size_t>(top_k));
  const auto end = space.fused.begin() + static_cast<std::ptrdiff_t>(kept);
  std::partial_sort(space.fused.begin(), end, space.fused.end(), ranks_before);
  space.fused.resize(kept);
}

}  // namespace

void fuse(const std::vector<RunView>& runs, FuseMethod method, double k, std::int64_t top_k, const FusedOutput& out,
          const CallContext& context) {
  const std::size_t n_queries = out.offsets.size() - 1;
  std::size_t entries = 0;
  for (const RunView& run : runs) entries += static_cast<std::size_t>(run.offsets.back());
  constexpr std::size_t kTaskEntries = std::size_t{1} << 14;
  const std::size_t per_query = std::max<std::size_t>(1, entries / std::max<std::size_t>(1, n_queries));
  const std::size_t per_task = std::max<std::size_t>(1, kTaskEntries / per_query);
  const CallContext sized{worthwhile_threads(30.0 * static_cast<double>(entries), context.num_threads), context.stop};
  std::vector<std::unique_ptr<Workspace>> spaces(static_cast<std::size_t>(sized.num_threads));
  parallel_for((n_queries + per_task - 1) / per_task, sized, [&](std::size_t task, std::size_t worker) {
    if (spaces[worker] == nullptr) spaces[worker] = std::make_unique<Workspace>();
    Workspace& space = *spaces[worker];
    const std::size_t end = std::min(n_queries, (task + 1) * per_task);
    for (std::size_t query = task * per_task; query < end; ++query) {
      gather(runs, query, method, k, space.table);
      rank(space, top_k);
      FASTCAL_ASSERT(out.offsets[query] + static_cast<std::int64_t>(space.fused.size()) <= out.offsets[query + 1]);
      for (std::size_t i = 0; i < space.fused.size(); ++i) {
        out.ids[out.offsets[query] + static_cast<std::int64_t>(i)] = space.fused[i].id;
        out.scores[out.offsets[query] + static_cast<std::int64_t>(i)] = space.fused[i].score;
      }
      out.counts[query] = static_cast<std::int64_t>(space.fused.size());
    }
  });
}

}  // namespace fastcal
