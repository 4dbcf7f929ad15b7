// evidence.h -- test martingales against "at most so many are positive", one value per label (docs/numerics.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/stop_token.h"

namespace fastcal {

// Labels 0 and 1 in the order drawn; out[i - start] = ln E after labels[0 .. i]. Each value depends on the counts up to there
// alone, so it has the same bits whatever `start` is. start <= labels.size().

// Draws without replacement from `population` rows, against "at most null_hits are positive": inf once more are seen,
// -inf where no larger number can be. labels.size() <= population <= 2^53, -1 <= null_hits <= population.
void log_evidence(std::span<const std::uint8_t> labels, std::int64_t population, std::int64_t null_hits, std::size_t start, double* out,
                  StopToken& stop);

// Independent draws, against "the rate is at most null_rate" (inside (0, 1)); prior Beta(1, shape), shape > 0, on the rates above.
void log_evidence_iid(std::span<const std::uint8_t> labels, double null_rate, double shape, std::size_t start, double* out,
                      StopToken& stop);

// The sums that evidence and the tails of counts are made of: out[j] = ln(1 + r0 + r0 r1 + ...) of whole hits[j] >= 0, with
// ratio i = (hits - i) (bad - i) / ((good + i) (misses + i)), bad >= 0, good and misses > 0. The arrays have one length.
struct TailSums {
  std::span<const double> hits, bad, good, misses;
};
void log_tail_sums(const TailSums& sums, double* out, StopToken& stop);

}  // namespace fastcal
