// fusion_gather.h -- the documents of one query, numbered in order of appearance by a small open-addressing table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/fusion.h"

namespace fastcal {

struct FusedDocument {
  std::int64_t id;
  std::uint32_t first_run;
  std::uint32_t last_run;  // a later entry in the same list is a duplicate
  std::uint32_t hits;      // runs that list it
};

class GatheredLists {
 public:
  static constexpr std::uint32_t kDuplicate = 0x80000000u;

  // Reuses the memory of the query before.
  void read(const FusionPlan& plan, std::size_t query);

  std::span<const FusedDocument> documents() const { return documents_; }
  // The document of each entry of the list of a run; kDuplicate is set where the run has listed it before.
  std::span<const std::uint32_t> list(std::size_t run) const {
    return std::span(entries_).subspan(starts_[run], starts_[run + 1] - starts_[run]);
  }
  std::size_t duplicates(std::size_t run) const { return duplicates_[run]; }

 private:
  static constexpr std::uint32_t kEmpty = 0xffffffffu;
  void read_list(std::span<const std::int64_t> ids, std::uint32_t run, std::uint32_t* entries);

  std::vector<std::uint32_t> slots_;
  std::vector<FusedDocument> documents_;
  std::vector<std::uint32_t> entries_;
  std::vector<std::size_t> starts_, duplicates_;
  int shift_ = 60;
};

}  // namespace fastcal
