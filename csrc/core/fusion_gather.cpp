#include "core/fusion_gather.h"

#include <algorithm>
#include <bit>

namespace fastcal {

void GatheredLists::read(const FusionPlan& plan, std::size_t query) {
  const std::size_t n_runs = plan.runs.size();
  starts_.assign(n_runs + 1, 0);
  duplicates_.assign(n_runs, 0);
  for (std::size_t r = 0; r < n_runs; ++r) starts_[r + 1] = starts_[r] + plan.length(r, query);
  const std::size_t slots = std::bit_ceil(std::max<std::size_t>(16, 2 * starts_[n_runs]));
  slots_.assign(slots, kEmpty);
  shift_ = 64 - std::countr_zero(slots);
  documents_.clear();
  documents_.reserve(starts_[n_runs]);
  entries_.resize(starts_[n_runs]);
  for (std::size_t r = 0; r < n_runs; ++r) {
    const std::int64_t* ids = plan.runs[r].ids + plan.runs[r].offsets[query];
    read_list({ids, plan.length(r, query)}, static_cast<std::uint32_t>(r), entries_.data() + starts_[r]);
  }
}

void GatheredLists::read_list(std::span<const std::int64_t> ids, std::uint32_t run, std::uint32_t* entries) {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::int64_t id = ids[i];
    std::size_t slot = (static_cast<std::uint64_t>(id) * 0x9e3779b97f4a7c15u) >> shift_;
    while (slots_[slot] != kEmpty && documents_[slots_[slot]].id != id) slot = (slot + 1) & mask;
    if (slots_[slot] == kEmpty) {
      entries[i] = slots_[slot] = static_cast<std::uint32_t>(documents_.size());
      documents_.push_back({id, run, run, 1});
      continue;
    }
    FusedDocument& document = documents_[slots_[slot]];
    const bool again = document.last_run == run;
    entries[i] = slots_[slot] | (again ? kDuplicate : 0);
    duplicates_[run] += again;
    document.hits += !again;
    document.last_run = run;
  }
}

}  // namespace fastcal
