// sketch_rows.inl.h -- quantising one row. Codes may be chosen in any way: |r| is measured from the codes that were stored.

// Adding 1.5 * 2^23 rounds a small float to the nearest integer.
inline constexpr float kRoundingShiftF32 = 0x1.8p23f;
inline float nearest(float v) {
  return (v + kRoundingShiftF32) - kRoundingShiftF32;
}
inline float clamped(float v, float low, float high) {
  return v < low ? low : (v > high ? high : v);
}

template <typename Term>
inline float lane_sum_f32(std::size_t n, const Term& term) {
  float lanes[kSumLanes] = {};
  std::size_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes)
    for (std::size_t j = 0; j < kSumLanes; ++j) lanes[j] += term(i + j);
  for (std::size_t j = 0; i < n; ++i, ++j) lanes[j] += term(i);
  float total = 0.0f;
  for (std::size_t j = 0; j < kSumLanes; ++j) total += lanes[j];
  return total;
}

template <typename Term>
inline double lane_sum_f64(std::size_t n, const Term& term) {
  double lanes[kSumLanes] = {};
  std::size_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes)
    for (std::size_t j = 0; j < kSumLanes; ++j) lanes[j] += term(i + j);
  for (std::size_t j = 0; i < n; ++i, ++j) lanes[j] += term(i);
  return fold(lanes);
}

// code = nearest(v / step + zero), clamped to [0, top]; the value it stands for is step * (code - zero).
struct Quantiser {
  float step, inverse, zero, top;

  // A remainder too small to divide by is all residual.
  Quantiser(float s, float z, float t) : step(s > 1e-30f ? s : 0.0f), inverse(s > 1e-30f ? 1.0f / s : 0.0f), zero(z), top(t) {}
  float code(float v) const { return clamped(nearest(v * inverse + zero), 0.0f, top); }
  float residual(float v) const { return v - step * (code(v) - zero); }
  float squared_error(const float* v, std::size_t n) const {
    return lane_sum_f32(n, [&](std::size_t i) {
      const float r = residual(v[i]);
      return r * r;
    });
  }
};

// |r|, rounded up; the float32 steps that led to `v` and the residual lose at most kSketchRounding of the unit row.
inline float residual_norm(const Quantiser& quantiser, const float* v, std::size_t n) {
  return static_cast<float>(__builtin_sqrt(static_cast<double>(quantiser.squared_error(v, n))) * (1.0 + 0x1p-12)) + kSketchRounding;
}

// 16 levels: the best uniform step for a Gaussian is 0.335 sigma; rows with other shapes try a few more.
inline Quantiser best_half_byte(const float* v, std::size_t n, float largest) {
  const float sigma = __builtin_sqrtf(lane_sum_f32(n, [&](std::size_t i) { return v[i] * v[i]; }) / static_cast<float>(n));
  const float widest = largest / 7.5f;
  Quantiser best(widest, 7.5f, 15.0f);
  float least = best.squared_error(v, n);
  constexpr float kFactors[] = {0.27f, 0.335f, 0.42f};
  for (const float factor : kFactors) {
    const float step = factor * sigma;
    if (!(step < widest)) continue;
    const Quantiser candidate(step, 7.5f, 15.0f);
    const float error = candidate.squared_error(v, n);
    if (error < least) {
      best = candidate;
      least = error;
    }
  }
  return best;
}

inline void set_facts(std::uint8_t* facts, std::size_t lane, const SketchLayout& layout, float along, float step, float residual,
                      float norm) {
  auto* values = reinterpret_cast<float*>(facts) + lane;
  values[0] = along;
  values[kSketchRows] = step;
  values[2 * kSketchRows] = residual;
  if (layout.scaled) values[3 * kSketchRows] = norm;
}

inline void fill_codes(const Quantiser& quantiser, const float* v, std::size_t n, std::uint8_t* codes) {
  for (std::size_t i = 0; i < n; ++i) codes[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(quantiser.code(v[i])));
}

inline void store_codes(const std::uint8_t* codes, const SketchLayout& layout, const SketchTarget& target) {
  for (std::size_t g = 0; g < layout.groups(); ++g)
    __builtin_memcpy(target.record7 + g * 64 + target.lane * kSketchGroup, codes + g * kSketchGroup, kSketchGroup);
}

inline void store_half_codes(const std::uint8_t* codes, const SketchLayout& layout, const SketchTarget& target) {
  for (std::size_t g = 0; g < layout.groups(); g += 2) {
    std::uint32_t low, high;
    __builtin_memcpy(&low, codes + g * kSketchGroup, sizeof(low));
    __builtin_memcpy(&high, codes + (g + 1) * kSketchGroup, sizeof(high));
    low |= high << 4;
    __builtin_memcpy(target.record4 + g / 2 * 64 + target.lane * kSketchGroup, &low, sizeof(low));
  }
}

// Between these norms unit rows are exact to a few ulp in float32 and squares of norms neither over- nor underflow; a row
// beyond them gets a NaN and is never ruled out.
inline constexpr double kSmallestNorm = 1e-18, kLargestNorm = 1e18;

void sketch_row(const float* x, const float* centre, const float* direction, const SketchLayout& layout, const SketchTarget& target,
                float* row, std::uint8_t* codes) {
  const std::size_t dim = layout.dim;
  for (std::size_t i = 0; i < dim; ++i) row[i] = centre != nullptr ? x[i] - centre[i] : x[i];
  const double norm =
      __builtin_sqrt(lane_sum_f64(dim, [&](std::size_t i) { return static_cast<double>(row[i]) * static_cast<double>(row[i]); }));
  const bool usable = norm == 0.0 || (norm > kSmallestNorm && norm < kLargestNorm);
  const float inverse = usable && norm > 0.0 ? static_cast<float>(1.0 / norm) : 0.0f;
  for (std::size_t i = 0; i < dim; ++i) row[i] = inverse > 0.0f ? row[i] * inverse : 0.0f;
  const auto along =
      static_cast<float>(lane_sum_f64(dim, [&](std::size_t i) { return static_cast<double>(row[i]) * static_cast<double>(direction[i]); }));
  for (std::size_t i = 0; i < dim; ++i) row[i] -= along * direction[i];
  float largest = 0.0f;
  for (std::size_t i = 0; i < dim; ++i) largest = __builtin_fabsf(row[i]) > largest ? __builtin_fabsf(row[i]) : largest;

  const float poison = usable ? 0.0f : __builtin_nanf("");
  const auto rounded_up = static_cast<float>(norm * (1.0 + 0x1p-22));
  __builtin_memset(codes, 0, kSketchGroup * layout.groups());
  if (target.record4 != nullptr) {
    const Quantiser half = best_half_byte(row, dim, largest);
    fill_codes(half, row, dim, codes);
    store_half_codes(codes, layout, target);
    set_facts(target.record4 + layout.code_bytes4(), target.lane, layout, along, half.step, residual_norm(half, row, dim) + poison,
              rounded_up + poison);
  }

  const Quantiser whole(largest / 63.0f, static_cast<float>(kCodeZero7), 127.0f);
  fill_codes(whole, row, dim, codes);
  store_codes(codes, layout, target);
  set_facts(target.record7 + layout.code_bytes7(), target.lane, layout, along, whole.step, residual_norm(whole, row, dim) + poison,
            rounded_up + poison);
}
