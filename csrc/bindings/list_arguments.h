// list_arguments.h -- where the lists of a flat array begin and end.
#pragma once

#include "bindings/arrays.h"
#include "core/lists.h"

namespace fastcal::bindings {

inline Offsets offsets_view(const py::array& array, std::size_t total) {
  const auto offsets = flat<std::int64_t>(array, "offsets");
  FASTCAL_CHECK(!offsets.empty() && offsets.front() == 0 && offsets.back() == static_cast<std::int64_t>(total),
                "offsets: expected 0 first and the number of entries last");
  for (std::size_t i = 1; i < offsets.size(); ++i) FASTCAL_CHECK(offsets[i] >= offsets[i - 1], "offsets: must not decrease");
  return offsets;
}

}  // namespace fastcal::bindings
