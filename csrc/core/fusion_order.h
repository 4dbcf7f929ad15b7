// fusion_order.h -- the documents of one query, best first.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/fusion_gather.h"

namespace fastcal {

class DocumentOrder {
 public:
  // Numbers of the best documents, at most top_k of them (< 0: all). Scores are those that users see.
  std::span<const std::uint32_t> rank(std::span<const FusedDocument> documents, std::span<const float> scores, FuseTies ties,
                                      std::int64_t top_k);

 private:
  // Highest score first in the upper half, document number in the lower half: an integer sort is right up to ties.
  std::vector<std::uint64_t> keys_, other_;
  std::vector<std::uint32_t> ranked_;
};

}  // namespace fastcal
