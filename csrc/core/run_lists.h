// run_lists.h -- the lists of a run: what is wrong with them, and best first. List i is [offsets[i], offsets[i + 1]).
#pragma once

#include <cstdint>

#include "core/lists.h"
#include "core/parallel.h"

namespace fastcal {

enum ListFault : int { kPadding = 1, kNegativeId = 2, kNotANumber = 4, kOutOfOrder = 8 };

// The sum of the faults of all lists; `scores` may be null.
int list_faults(const std::int64_t* ids, const float* scores, Offsets offsets, bool higher_is_better, StopToken& stop);

// Sorts each list stably. No NaN.
void sort_lists(const std::int64_t* ids, const float* scores, Offsets offsets, bool higher_is_better, std::int64_t* out_ids,
                float* out_scores, const CallContext& context);

}  // namespace fastcal
