// kernel_table.h -- what one instruction set offers: plain structs and one table of function pointers.
//
// Kernels do arithmetic on blocks that the core has laid out. They allocate nothing, throw nothing, know no
// threads and use no standard library (see isa_unit.cpp). docs/numerics.md defines every value to the bit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/sketch.h"

namespace fastcal {

enum class Metric : int { cosine = 0, dot = 1, euclidean = 2 };
inline constexpr int kMetrics = 3;

// Every sum of the exact path runs in this many float64 lanes, on every instruction set.
inline constexpr std::size_t kSumLanes = 16;
// Rows a scoring kernel takes at most in one call.
inline constexpr std::size_t kMaxRowBlock = 64;
// Positions of a list whose lane sums are folded before they join the list's total.
inline constexpr std::size_t kMomentBlock = 4096;

// Queries of one call, prepared by the core: both copies are zero-padded to `stride`, a multiple of kSumLanes.
struct QueryBlock {
  const double* f64;
  const float* f32;
  const double* norms;  // Euclidean norms, cosine only
  std::size_t n;
  std::size_t dim;
  std::size_t stride;
};

// At most kMaxRowBlock rows, float32, anywhere in memory.
struct RowBlock {
  const float* const* rows;
  const double* norms;  // Euclidean norms, cosine only; null where a single query has them computed on the way
  std::size_t n;
};

// Writes out[query * out_stride + row]; returns the first row that holds NaN or infinity, or rows.n.
using ScoreRows = std::size_t (*)(const QueryBlock& queries, const RowBlock& rows, float* out, std::size_t out_stride);

// Bounds of one query's keys (a key is the score, or minus the distance): lower[i] <= key of row i <= upper[i]. Minus and plus
// infinity for rows that float32 sums cannot judge, among them all that hold NaN or infinity. Norms of rows are not read.
using BoundKeys = void (*)(const QueryBlock& query, const RowBlock& rows, float* lower, float* upper);

struct Extent {
  double min;
  double max;
  std::size_t count;  // terms that are not NaN
};

// Of d = v - shift, in float64.
struct Moments {
  double sum;      // of d
  double squares;  // of d * d
  std::size_t count;
};

// v -> (v * unit - centre) / scale. `unit` is 1 for float32 lists.
struct Line {
  double unit, centre, scale;
};

// Rising knots and where to start looking among them (core/knot_index.h). bucket(v) = (v - origin) * scale, cut to [0, last_bucket], rises
// with v; the last knot <= v is one of first[bucket(v)] + 0 .. 2 * step - 1.
template <typename T>
struct KnotTable {
  const T* x;  // the smallest T >= each knot, so that comparisons in T are those of float64; then 2 * step NaN
  const std::int32_t* first;
  double origin, scale, last_bucket;
  std::int32_t step;  // a power of 2
};

// From a knot to the next one. The last knot has width 1 and rise 0; behind it stands one more with its y.
struct Segment {
  double x, width, y, rise;
};

// p = 1 / (1 + exp(-(a ln u - b ln v + c))), u = offset + slope s and v = (1 - offset) - slope s, both kept kLeastChance from 0 and 1.
struct BetaMap {
  double offset, slope;
  double a, b, c;  // finite
};
inline constexpr double kLeastChance = 0x1p-25;

// One set of list kernels per element type. NaN is skipped where values are read and kept where they are written.
template <typename T>
struct ListKernels {
  Extent (*extent)(const T* values, std::size_t n);
  Moments (*moments)(const T* values, std::size_t n, double shift);  // n <= kMomentBlock
  void (*affine)(const T* values, std::size_t n, const Line& line, T* out);
  void (*constant)(const T* values, std::size_t n, double value, T* out);  // value where not NaN
  void (*platt_predict)(const T* scores, std::size_t n, double a, double b, T* out);
  void (*isotonic_predict)(const T* scores, std::size_t n, const double* x, const double* y, std::size_t knots, T* out);
  // out[i] = the last knot <= scores[i]; 0 if there is none, and for NaN.
  void (*positions)(const T* scores, std::size_t n, const KnotTable<T>& table, std::int32_t* out);
  // isotonic_predict by table: low and high are the first and the last knot.
  void (*interpolate)(const T* scores, std::size_t n, const KnotTable<T>& table, const Segment* segments, double low, double high, T* out);
  void (*beta_predict)(const T* scores, std::size_t n, const BetaMap& map, T* out);
  // 2 * count + 1 values: below, at and above each of the strictly rising knots; count may be 0.
  void (*step_predict)(const T* scores, std::size_t n, const double* knots, std::size_t count, const double* values, T* out);
  // values[the last knot <= the score], `below` where there is none.
  void (*look_up)(const T* scores, std::size_t n, const KnotTable<T>& table, const T* values, T below, T* out);
};

struct KernelTable {
  const char* name;
  ScoreRows exact_scores[kMetrics];
  ScoreRows fast_scores[kMetrics];
  BoundKeys bound_keys[kMetrics];
  // sums[i] = lane sum of row i squared; non-finite if and only if the row is not finite.
  void (*squared_norms)(const float* const* rows, std::size_t n, std::size_t dim, double* sums);
  void (*widen_f16)(const std::uint16_t* bits, std::size_t n, float* out);
  void (*widen_bf16)(const std::uint16_t* bits, std::size_t n, float* out);
  // Rounds once; returns whether every result is finite.
  bool (*round_to_float32)(const double* values, std::size_t n, float* out);
  ScanSketch scan4[kMetrics];
  ScanSketch scan7[kMetrics];
  BandSketch band7[kMetrics];
  SketchRow sketch_row;
  // 64 bits that tell whether `n` < 2^34 bytes changed; digest.inl.h defines them and says how surely.
  std::uint64_t (*digest)(const void* bytes, std::size_t n);
  ListKernels<float> f32;
  ListKernels<double> f64;
};

}  // namespace fastcal
