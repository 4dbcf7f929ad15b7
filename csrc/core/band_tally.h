// band_tally.h -- what was found in the bands so far: counts, and reservoirs where samples were asked for.
#pragma once

#include <array>
#include <vector>

#include "core/band_edges.h"
#include "core/reservoir.h"

namespace fastcal {

struct Sampling {
  std::size_t size = 0;  // rows a band; 0: counts only
  std::uint64_t seed = 0;
  std::int64_t first_row = 0;
};

// One query.
class BandTally {
 public:
  BandTally(const BandEdges& edges, const Sampling& sampling, std::size_t query)
      : edges_(&edges),
        first_row_(static_cast<std::uint64_t>(sampling.first_row)),
        state_(priority_state(sampling.seed, query)),
        counts_(edges.size() + 1),
        reservoirs_(sampling.size > 0 ? edges.bins() : 0, Reservoir(sampling.size)) {}

  void take(std::size_t row, std::size_t reached) {
    ++counts_[reached];
    sample(row, reached);
  }

  // Rows begin, begin + 1, ...; those marked kStraddles are left out. Four tables, so that equal neighbours do not wait for
  // each other's increments.
  void take(std::size_t begin, const std::uint8_t* reached, std::size_t n) {
    std::array<std::array<std::uint32_t, 256>, 4> tables{};
    std::size_t i = 0;
    for (; i + 4 <= n; i += 4)
      for (std::size_t t = 0; t < 4; ++t) ++tables[t][reached[i + t]];
    for (; i < n; ++i) ++tables[0][reached[i]];
    for (std::size_t c = 0; c < std::min<std::size_t>(counts_.size(), kStraddles); ++c)
      counts_[c] += tables[0][c] + tables[1][c] + tables[2][c] + tables[3][c];
    if (reservoirs_.empty()) return;
    for (std::size_t r = 0; r < n; ++r)
      if (reached[r] != kStraddles) sample(begin + r, reached[r]);
  }

  void absorb(const BandTally& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    for (std::size_t i = 0; i < reservoirs_.size(); ++i) reservoirs_[i].absorb(other.reservoirs_[i]);
  }

  std::int64_t count(std::size_t bin) const { return counts_[edges_->reached_in(bin)]; }
  Reservoir& reservoir(std::size_t bin) { return reservoirs_[bin]; }

  // Of one query on one thread.
  static std::size_t bytes(const BandEdges& edges, std::size_t size) {
    return (edges.size() + 1) * sizeof(std::int64_t) + (size > 0 ? edges.bins() * Reservoir::bytes(size) : 0);
  }

 private:
  void sample(std::size_t row, std::size_t reached) {
    if (reservoirs_.empty() || !edges_->inside(reached)) return;
    const std::uint64_t number = first_row_ + row;
    reservoirs_[edges_->bin(reached)].offer(splitmix64(state_, number), static_cast<std::int64_t>(number));
  }

  const BandEdges* edges_;
  std::uint64_t first_row_, state_;
  std::vector<std::int64_t> counts_;  // by the number of edges reached
  std::vector<Reservoir> reservoirs_;
};

}  // namespace fastcal
