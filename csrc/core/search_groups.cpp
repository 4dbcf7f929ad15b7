// search_groups.cpp -- sizes and masks.
#include "core/search_groups.h"

namespace fastcal {

std::vector<std::int64_t> allowed_rows(const std::uint8_t* mask, std::size_t n_rows) {
  std::vector<std::int64_t> rows;
  for (std::size_t row = 0; row < n_rows; ++row)
    if (mask[row] != 0) rows.push_back(static_cast<std::int64_t>(row));
  return rows;
}

bool sparse(const Gate& gate, std::size_t n_queries, std::size_t n_rows) {
  if (gate.allow == nullptr) return false;
  const std::size_t masks = gate.allow_stride == 0 ? 1 : n_queries;
  std::size_t allowed = 0;
  for (std::size_t q = 0; q < masks; ++q) {
    const std::uint8_t* mask = gate.mask(q);
    for (std::size_t row = 0; row < n_rows; ++row) allowed += mask[row] != 0;
  }
  return allowed < masks * n_rows / kSparse;
}

std::size_t scan_group(std::size_t k, std::size_t dim, int num_threads) {
  constexpr std::size_t kCandidateBytes = std::size_t{256} << 20, kQueryBytes = std::size_t{256} << 10, kMaxGroup = 96;
  const std::size_t per_query = static_cast<std::size_t>(num_threads) * (2 * k + 16) * sizeof(Hit);
  const std::size_t by_cache = std::max<std::size_t>(12, kQueryBytes / (dim * sizeof(double)));
  return std::clamp<std::size_t>(kCandidateBytes / per_query, 1, std::min(by_cache, kMaxGroup));
}

}  // namespace fastcal
