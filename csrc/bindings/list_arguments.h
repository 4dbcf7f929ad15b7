// list_arguments.h -- where the lists of a flat array begin and end.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

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

inline AffineKind affine_kind(std::string_view name) {
  constexpr std::string_view kNames[] = {"minmax", "max", "sum", "l2", "zscore", "dbsf", "given"};
  const auto* found = std::find(std::begin(kNames), std::end(kNames), name);
  FASTCAL_CHECK(found != std::end(kNames), "kind: expected minmax, max, sum, l2, zscore, dbsf or given");
  return static_cast<AffineKind>(found - std::begin(kNames));
}

}  // namespace fastcal::bindings
