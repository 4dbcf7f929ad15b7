// calibration.h -- fits in float64, and the labels-sorted-by-score sweep behind every threshold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/parallel.h"
#include "core/stop_token.h"

namespace fastcal {

// Functions without a CallContext work on one thread. All throw Interrupted when `stop` says so; outputs may be partly written then.

// p = 1 / (1 + exp(a s + b)).
struct PlattModel {
  double a;
  double b;
};

// Minimises the weighted cross-entropy against soft targets by Newton's method with backtracking (H.-T. Lin, C.-J. Lin
// and R. C. Weng, "A note on Platt's probabilistic outputs for support vector machines", Machine Learning 68, 2007).
// The three arrays have one length >= 1; weights are >= 0 with a positive sum; targets lie inside (0, 1).
PlattModel platt_fit(std::span<const double> scores, std::span<const double> targets, std::span<const double> weights, StopToken& stop);

// Weighted increasing regression by pooling adjacent violators. Writes knots to x and y (room for scores.size()) and
// returns how many. Weights are >= 0 with a positive sum; scores are finite.
std::size_t isotonic_fit(std::span<const double> scores, std::span<const double> labels, std::span<const double> weights, double* x,
                         double* y, StopToken& stop);

// The same of unweighted 0/1 labels: counts are exact in any order, so only sorted scores and labels are needed.
template <typename T>
std::size_t isotonic_fit_labels(std::span<const T> scores, const std::uint8_t* labels, double* x, double* y, const CallContext& context);

struct SweepOutput {
  std::int64_t* selected;  // rows scored at least the threshold
  double* weight;          // their weight
  double* positive;        // the weight of the positive ones
};

// One entry per distinct score, highest first; returns how many. `weights` may be null (all 1). No NaN. All arrays have room for
// scores.size(); what lies behind the entries is undefined.
template <typename T>
std::size_t threshold_sweep(std::span<const T> scores, const std::uint8_t* labels, const double* weights, T* thresholds,
                            const SweepOutput& out, const CallContext& context);

struct RatesOutput {
  std::int64_t* selected;
  double* precision;  // positive / selected
  double* recall;     // positive / all positives, or / 1 if there are none
  double* f1;         // positive / (selected / 2 + all positives / 2)
};

// threshold_sweep without weights, the counts turned into rates.
std::size_t threshold_rates(std::span<const float> scores, const std::uint8_t* labels, float* thresholds, const RatesOutput& out,
                            const CallContext& context);

}  // namespace fastcal
