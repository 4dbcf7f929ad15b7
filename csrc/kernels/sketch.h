// sketch.h -- small integer copies of the rows that give a rigorous upper bound of every score.
//
// Rows are handled as unit vectors y = (x - centre) / |x - centre| (the centre is 0 unless the metric is euclidean), queries
// as unit vectors p. A direction u carries what the rows have in common: y = a u + y'. What is left is rotated (rotation.inl.h:
// <p,y> = <R p,R y>), and y' = R (y - a u) is quantised to y^ = step (code - zero) with residual r = y' - y^. The query's
// remainder p' = R (p - (p.u) u) is quantised to p^ with residual e. Then
//
//   <p,y> = a (p.u) + <p,y'>,   <p,y'> <= <p^,y^> + |e| |y^| + |p'| |r| + rounding <= <p^,y^> + |e| (1 + |r|) + |p'| |r| + rounding
//
// where <p^,y^> is an exact integer dot product times two steps. Per row: a, step, |r| (rounded up). Per query: p.u, step,
// spread = |p'| + |e|, slack = |e| + rounding. One-byte codes have 7 bits (0..127, zero at 64), half-byte codes 4 (0..15, zero
// at 7.5).
//
// Rounding: every quantity above is at most about 1, the float32 epilogue, the float32 quantiser and the float32 rotation of a row
// lose less than 2^-18 each, and the lane sum in float64 less than dim * 2^-50. A row whose norm cannot be handled in float32 has a NaN in
// its record: comparisons keep it.
//
// Lower bounds: all that is added above bounds an absolute value, so <p,y> >= <p^,y^> + a (p.u) - width with the same width. The
// norm that multiplies a bound (dot, euclidean) is stored up to 2^-21 too large, which moves a bound of either sign by at most
// 2^-21 of the norm: it belongs to the 2^-18 of the epilogue, whose own operations lose less than 2^-20. The squares of the
// euclidean epilogue are off by less than 2^-20 and go 2^-18 to the safe side, downwards for upper bounds, upwards for lower.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastcal {

inline constexpr std::size_t kSketchRows = 16;  // rows of a block
inline constexpr std::size_t kSketchGroup = 4;  // consecutive dimensions of a row in one 32-bit lane
inline constexpr float kSketchRounding = 0x1p-18f, kRotationRounding = 0x1p-18f;
inline constexpr int kCodeZero7 = 64;

// A record is one block: its codes, then 16 floats each of a, step, |r| and, if scaled, the norm |x - centre|. Codes are
// in groups of 4 dimensions x 16 rows = 64 bytes; a 64-byte line of half-byte codes holds group 2g low and group 2g + 1 high.
struct SketchLayout {
  std::size_t dim;
  bool scaled;  // false for cosine, whose rows count as unit vectors

  std::size_t padded() const { return (dim + 15) / 16 * 16; }
  std::size_t groups() const { return (dim + 2 * kSketchGroup - 1) / (2 * kSketchGroup) * 2; }
  std::size_t code_bytes4() const { return groups() / 2 * 64; }
  std::size_t code_bytes7() const { return groups() * 64; }
  std::size_t facts() const { return (scaled ? 4 : 3) * kSketchRows * sizeof(float); }
  std::size_t record4() const { return code_bytes4() + facts(); }
  std::size_t record7() const { return code_bytes7() + facts(); }
};

struct SketchQuery {
  const std::int8_t* codes;  // groups() * 4, padded with 0
  std::int32_t code_sum;
  float along;   // p.u
  float step;    // p^ = step * codes
  float spread;  // |p'| + |e|, rounded up
  float slack;   // |e| + rounding, rounded up
  float norm;    // |q - centre|, euclidean only
};

// A row that the bound could not rule out. `goodness` is the bound in the direction where more is better: the cosine, the
// cosine times the row's norm (dot), or minus the squared distance.
struct Survivor {
  std::uint32_t row;  // from the first record of the scan
  float goodness;
};

// Appends to survivors[q * stride ...] and counts[q] every row of the blocks whose goodness is not <= limits[q].
using ScanSketch = void (*)(const SketchQuery* queries, std::size_t n_queries, const std::uint8_t* records, std::size_t n_blocks,
                            const SketchLayout& layout, const float* limits, Survivor* survivors, std::size_t stride,
                            std::uint32_t* counts);

// Band edges as one query sees them, in ascending order. Row r reaches edge i for certain if floors[i] <= its lower goodness
// and cannot reach it if its upper goodness is <= limits[i]. A NaN in either row or edge proves nothing.
struct SketchEdges {
  const float* limits;
  const float* floors;
  std::size_t n;  // < kStraddles
};

// A row whose bounds lie on two sides of an edge, or are NaN.
struct Straddler {
  std::uint32_t row;  // from the first record of the scan
  float lower, upper;
};

inline constexpr std::uint8_t kStraddles = 255;
// bands[q * stride + row] = how many edges of query q the row reaches, or kStraddles, for every row of the blocks; rows of the
// second kind are appended to straddlers[q * stride ...] and counted in counts[q].
using BandSketch = void (*)(const SketchQuery* queries, const SketchEdges* edges, std::size_t n_queries, const std::uint8_t* records,
                            std::size_t n_blocks, const SketchLayout& layout, std::uint8_t* bands, Straddler* straddlers,
                            std::size_t stride, std::uint32_t* counts);

// Where a row goes: one of the kSketchRows lanes of the two records of its block.
struct SketchTarget {
  std::uint8_t* record4;  // null: the one-byte codes alone
  std::uint8_t* record7;
  std::size_t lane;
};
// Quantises row x. `centre` may be null (0). `row` is scratch for 3 * layout.padded() floats, `codes` for
// layout.padded() bytes.
using SketchRow = void (*)(const float* x, const float* centre, const float* direction, const float* signs, const SketchLayout& layout,
                           const SketchTarget& target, float* row, std::uint8_t* codes);

}  // namespace fastcal
