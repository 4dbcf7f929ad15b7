// sketch_rows.inl.h -- quantising one row. Codes may be chosen in any way: |r| is measured from the codes that were stored.

// Adding 1.5 * 2^23 to a small float rounds it to the nearest integer, whose bits are then the lowest of the sum.
inline constexpr float kRoundingShiftF32 = 0x1.8p23f;

template <typename Combine>
inline float fold(F32x16 a, const Combine& combine) {
  float lanes[kSumLanes];
  store_f32x16(lanes, a);
  for (std::size_t half = kSumLanes / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) lanes[i] = combine(lanes[i], lanes[i + half]);
  return lanes[0];
}
inline float sum_of(F32x16 a) {
  return fold(a, [](float x, float y) { return x + y; });
}
inline float largest_of(F32x16 a) {
  return fold(a, [](float x, float y) { return x > y ? x : y; });
}

// Ones for the first `count` lanes, zeros for the others.
inline F32x16 first_lanes(std::size_t count) {
  static constexpr float kOnes[2 * kSumLanes] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  return load_f32x16(kOnes + kSumLanes - count);
}

struct Products {
  double squares, along;
};
// <v,v> and <v,u> in float64.
inline Products products(const float* v, const float* u, std::size_t dim) {
  F64 squares[kParts], along[kParts];
  for (int p = 0; p < kParts; ++p) squares[p] = along[p] = zero_f64();
  const auto step = [&](const float* a, const float* b) {
#pragma GCC unroll 8
    for (int p = 0; p < kParts; ++p) {
      const F64 x = widen_f32(a + p * F64::kLanes);
      squares[p] = mul_add_exact(squares[p], x, x);
      along[p] = mul_add_exact(along[p], x, widen_f32(b + p * F64::kLanes));
    }
  };
  std::size_t i = 0;
  for (; i + kSumLanes <= dim; i += kSumLanes) step(v + i, u + i);
  if (i < dim) {
    const float* rows[] = {v, u};
    float tails[2][kSumLanes];
    copy_tails<2>(rows, i, dim, tails);
    step(tails[0], tails[1]);
  }
  return {fold_lanes(squares), fold_lanes(along)};
}

// row = scale * v - along * u, zeros up to the next multiple of 16.
inline void project(const float* v, const float* u, std::size_t dim, float scale, float along, float* row) {
  const F32x16 factor = broadcast_f32x16(scale), minus = broadcast_f32x16(-along);
  const auto step = [&](const float* a, const float* b, float* out) {
    store_f32x16(out, add(mul(load_f32x16(a), factor), mul(load_f32x16(b), minus)));
  };
  std::size_t i = 0;
  for (; i + kSumLanes <= dim; i += kSumLanes) step(v + i, u + i, row + i);
  if (i < dim) {
    const float* rows[] = {v, u};
    float tails[2][kSumLanes];
    copy_tails<2>(rows, i, dim, tails);
    step(tails[0], tails[1], row + i);
  }
}

struct F32Ops {
  using Number = float;
  using Vector = F32x16;
  static Vector load(const float* p) { return load_f32x16(p); }
  static void store(float* p, Vector v) { store_f32x16(p, v); }
  static Vector add(Vector a, Vector b) { return FASTCAL_ISA::add(a, b); }
  static Vector sub(Vector a, Vector b) { return FASTCAL_ISA::sub(a, b); }
  static Vector scale(Vector v, float factor) { return mul(v, broadcast_f32x16(factor)); }
  static Vector flip(Vector v, const float* signs) { return mul(v, load_f32x16(signs)); }
};

struct Spread {
  float largest, squares;
};
// How far a padded row spreads.
inline Spread spread_of(const float* row, std::size_t dim) {
  const F32x16 zero = broadcast_f32x16(0.0f);
  F32x16 largest = zero, squares = zero;
  for (std::size_t i = 0; i < dim; i += kSumLanes) {
    const F32x16 y = load_f32x16(row + i);
    largest = max(largest, max(y, sub(zero, y)));
    squares = add(squares, mul(y, y));
  }
  return {largest_of(largest), sum_of(squares)};
}

// code = nearest(v / step + zero), clamped to [0, top]; the value it stands for is step * (code - zero).
struct Quantiser {
  float step, inverse, zero, top;

  // A remainder too small to divide by is all residual.
  Quantiser(float s, float z, float t) : step(s > 1e-30f ? s : 0.0f), inverse(s > 1e-30f ? 1.0f / s : 0.0f), zero(z), top(t) {}

  // The code in the lowest bits of every lane.
  F32x16 shifted_code(F32x16 v) const {
    const F32x16 place = add(mul(v, broadcast_f32x16(inverse)), broadcast_f32x16(zero));
    return add(min(max(place, broadcast_f32x16(0.0f)), broadcast_f32x16(top)), broadcast_f32x16(kRoundingShiftF32));
  }
  F32x16 residual(F32x16 v, F32x16 shifted) const {
    const F32x16 levels = sub(sub(shifted, broadcast_f32x16(kRoundingShiftF32)), broadcast_f32x16(zero));
    return sub(v, mul(broadcast_f32x16(step), levels));
  }
};

// step(i, counted) for every 16 values of a padded row; `counted` is 0 in the lanes of the padding.
template <typename Step>
[[gnu::always_inline]] inline void over_row(std::size_t dim, const Step& step) {
  std::size_t i = 0;
  for (; i + kSumLanes <= dim; i += kSumLanes) step(i, broadcast_f32x16(1.0f));
  if (i < dim) step(i, first_lanes(dim - i));
}

template <int N>
inline void squared_errors(const Quantiser (&quantisers)[N], const float* v, std::size_t dim, float (&errors)[N]) {
  F32x16 sums[N];
  for (int n = 0; n < N; ++n) sums[n] = broadcast_f32x16(0.0f);
  over_row(dim, [&](std::size_t i, F32x16 counted) {
    const F32x16 x = load_f32x16(v + i);
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) {
      const F32x16 r = mul(quantisers[n].residual(x, quantisers[n].shifted_code(x)), counted);
      sums[n] = add(sums[n], mul(r, r));
    }
  });
  for (int n = 0; n < N; ++n) errors[n] = sum_of(sums[n]);
}

// Writes the codes of a padded row and returns |r|, rounded up: the float32 steps that led to `v`, the residual and the sum lose
// at most kSketchRounding + kRotationRounding of the unit row and 2^-12 of the sum.
inline float quantise(const Quantiser quantiser, const float* v, std::size_t dim, std::uint8_t* codes) {
  F32x16 sum = broadcast_f32x16(0.0f);
  over_row(dim, [&](std::size_t i, F32x16 counted) {
    const F32x16 x = load_f32x16(v + i), shifted = quantiser.shifted_code(x);
    const F32x16 r = mul(quantiser.residual(x, shifted), counted);
    sum = add(sum, mul(r, r));
    store_low_bytes(codes + i, shifted);
  });
  return __builtin_sqrtf(sum_of(sum)) * (1.0f + 0x1p-12f) + (kSketchRounding + kRotationRounding);
}

// 16 levels: the best uniform step for a Gaussian is 0.335 sigma; rows with other shapes fit another factor, or the whole range.
inline Quantiser best_half_byte(const float* v, std::size_t dim, const Spread& spread) {
  const float sigma = __builtin_sqrtf(spread.squares / static_cast<float>(dim));
  const Quantiser candidates[] = {
      {spread.largest / 7.5f, 7.5f, 15.0f}, {0.27f * sigma, 7.5f, 15.0f}, {0.335f * sigma, 7.5f, 15.0f}, {0.42f * sigma, 7.5f, 15.0f}};
  float errors[4];
  squared_errors(candidates, v, dim, errors);
  int best = 0;
  for (int n = 1; n < 4; ++n)
    if (errors[n] < errors[best]) best = n;
  return candidates[best];
}

inline void set_facts(std::uint8_t* facts, std::size_t lane, const SketchLayout& layout, float along, float step, float residual,
                      float norm) {
  auto* values = reinterpret_cast<float*>(facts) + lane;
  values[0] = along;
  values[kSketchRows] = step;
  values[2 * kSketchRows] = residual;
  if (layout.scaled) values[3 * kSketchRows] = norm;
}

// Byte stores may alias anything, so what the loops need stands in locals.
inline void store_codes(const std::uint8_t* codes, std::size_t groups, std::size_t lane, std::uint8_t* record) {
  std::uint8_t* target = record + lane * kSketchGroup;
#pragma GCC unroll 8
  for (std::size_t g = 0; g < groups; ++g) __builtin_memcpy(target + g * 64, codes + g * kSketchGroup, kSketchGroup);
}

inline void store_half_codes(const std::uint8_t* codes, std::size_t groups, std::size_t lane, std::uint8_t* record) {
  std::uint8_t* target = record + lane * kSketchGroup;
#pragma GCC unroll 8
  for (std::size_t line = 0; line < groups / 2; ++line) {
    std::uint64_t pair;  // two groups: the first goes into the low halves
    __builtin_memcpy(&pair, codes + line * 2 * kSketchGroup, sizeof(pair));
    const auto packed = static_cast<std::uint32_t>(pair | pair >> 28);
    __builtin_memcpy(target + line * 64, &packed, sizeof(packed));
  }
}

// Between these norms unit rows are exact to a few ulp in float32 and squares of norms neither over- nor underflow; a row
// beyond them gets a NaN and is never ruled out.
inline constexpr double kSmallestNorm = 1e-18, kLargestNorm = 1e18;

void sketch_row(const float* x, const float* centre, const float* direction, const float* signs, const SketchLayout& layout,
                const SketchTarget& target, float* row, std::uint8_t* codes) {
  const std::size_t dim = layout.dim, groups = layout.groups();
  if (centre != nullptr)
    for (std::size_t i = 0; i < dim; ++i) row[i] = x[i] - centre[i];
  const float* v = centre != nullptr ? row : x;
  const Products sums = products(v, direction, dim);
  const double norm = __builtin_sqrt(sums.squares);
  const bool usable = norm > kSmallestNorm && norm < kLargestNorm;
  const float poison = usable || norm == 0.0 ? 0.0f : __builtin_nanf("");
  const double inverse = usable ? 1.0 / norm : 0.0;
  const auto along = static_cast<float>(usable ? sums.along * inverse : 0.0);
  if (usable) {
    project(v, direction, dim, static_cast<float>(inverse), along, row);
    rotate<F32Ops>(row, signs, dim, row + layout.padded());
  } else {
    __builtin_memset(row, 0, (dim + kSumLanes - 1) / kSumLanes * kSumLanes * sizeof(float));
  }
  const Spread spread = spread_of(row, dim);

  const auto rounded_up = static_cast<float>(norm * (1.0 + 0x1p-22));
  if (target.record4 != nullptr) {
    const Quantiser half = best_half_byte(row, dim, spread);
    const float residual = quantise(half, row, dim, codes);
    store_half_codes(codes, groups, target.lane, target.record4);
    set_facts(target.record4 + layout.code_bytes4(), target.lane, layout, along, half.step, residual + poison, rounded_up + poison);
  }
  const Quantiser whole(spread.largest / 63.0f, static_cast<float>(kCodeZero7), 127.0f);
  const float residual = quantise(whole, row, dim, codes);
  store_codes(codes, groups, target.lane, target.record7);
  set_facts(target.record7 + layout.code_bytes7(), target.lane, layout, along, whole.step, residual + poison, rounded_up + poison);
}
