// venn_abers.h -- inductive Venn-Abers prediction as a table.
#pragma once

#include <cstddef>
#include <span>

#include "core/stop_token.h"

namespace fastcal {

// For a test object of weight 1 at every possible score: the value there of the increasing regression of the calibration pairs
// and that object labelled 0 (`p0`) or 1 (`p1`). Both are step functions of the score; `knots` (room for scores.size()) gets
// the scores at which one of them changes, and p0 and p1 (room for 2 scores.size() + 1) their values below, at and above each
// knot. Returns the number of knots. Labels lie in [0, 1], weights are >= 0 with a positive sum, scores are finite.
std::size_t venn_abers_fit(std::span<const double> scores, std::span<const double> labels, std::span<const double> weights, double* knots,
                           double* p0, double* p1, StopToken& stop);

}  // namespace fastcal
