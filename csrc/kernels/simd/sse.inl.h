// sse.inl.h -- x86-64-v2: 16 registers of 2 float64 or 4 float32, no FMA, no half precision.
inline constexpr int kExactRows = 1, kExactQueries = 1;
inline constexpr int kFastRows = 2, kFastQueries = 4;

struct F64 {
  static constexpr int kLanes = 2;
  __m128d v;
};
inline F64 zero_f64() {
  return {_mm_setzero_pd()};
}
inline F64 load_f64(const double* p) {
  return {_mm_loadu_pd(p)};
}
inline F64 widen_f32(const float* p) {
  const __m128i two_f32 = _mm_loadl_epi64(reinterpret_cast<const __m128i_u*>(p));
  return {_mm_cvtps_pd(_mm_castsi128_ps(two_f32))};
}
inline F64 sub(F64 a, F64 b) {
  return {_mm_sub_pd(a.v, b.v)};
}
inline F64 mul_then_add(F64 acc, F64 a, F64 b) {
  return {_mm_add_pd(acc.v, _mm_mul_pd(a.v, b.v))};
}
inline F64 mul_add_exact(F64 acc, F64 a, F64 b) {
  return mul_then_add(acc, a, b);
}
inline double fold_lanes(const F64 (&parts)[8]) {
  __m128d half[4];
  for (int i = 0; i < 4; ++i) half[i] = _mm_add_pd(parts[i].v, parts[i + 4].v);
  const __m128d sum_f64x2 = _mm_add_pd(_mm_add_pd(half[0], half[2]), _mm_add_pd(half[1], half[3]));
  return _mm_cvtsd_f64(_mm_add_sd(sum_f64x2, _mm_unpackhi_pd(sum_f64x2, sum_f64x2)));
}

struct F32 {
  static constexpr int kLanes = 4;
  __m128 v;
};
inline F32 zero_f32() {
  return {_mm_setzero_ps()};
}
inline F32 load_f32(const float* p) {
  return {_mm_loadu_ps(p)};
}
// Keeps a value that was loaded from being loaded again by each instruction that uses it.
inline F32 in_register(F32 a) {
  __asm__("" : "+x"(a.v));
  return a;
}
inline F32 sub(F32 a, F32 b) {
  return {_mm_sub_ps(a.v, b.v)};
}
inline F32 add(F32 a, F32 b) {
  return {_mm_add_ps(a.v, b.v)};
}
inline F32 mul_add(F32 acc, F32 a, F32 b) {
  return {_mm_add_ps(acc.v, _mm_mul_ps(a.v, b.v))};
}
inline float sum_lanes(F32 a) {
  const __m128 sum_f32x2 = _mm_add_ps(a.v, _mm_movehl_ps(a.v, a.v));
  return _mm_cvtss_f32(_mm_add_ss(sum_f32x2, _mm_movehdup_ps(sum_f32x2)));
}

// Half precision by integer arithmetic: the magnitude moves 13 bits up and 112 binades; a subnormal half h is
// the exact value h * 2^-24, an infinity or NaN gets the all-ones exponent.
inline float widen_one_f16(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t magnitude = bits & 0x7fffu;
  if (magnitude >= 0x7c00u) return __builtin_bit_cast(float, sign | 0x7f800000u | (magnitude << 13));
  if (magnitude >= 0x0400u) return __builtin_bit_cast(float, sign | ((magnitude << 13) + (112u << 23)));
  const float subnormal = static_cast<float>(magnitude) * 0x1p-24f;
  return __builtin_bit_cast(float, sign | __builtin_bit_cast(std::uint32_t, subnormal));
}
inline void widen_f16_block(const std::uint16_t* bits, float* out) {
  for (int i = 0; i < 8; ++i) out[i] = widen_one_f16(bits[i]);
}

// -- sketches: 16 rows at once, 4 dimensions of a row per 32-bit lane, in four quarters ---------------------------
inline constexpr int kSketchBlocks = 1, kSketchQueries = 2;

struct U8x64 {
  __m128i v[4];
};
struct I32x16 {
  __m128i v[4];
};
struct F32x16 {
  __m128 v[4];
};
inline U8x64 load_codes(const std::uint8_t* p) {
  U8x64 a;
  for (int h = 0; h < 4; ++h) a.v[h] = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(p + 16 * h));
  return a;
}
inline U8x64 low_nibbles(U8x64 a) {
  for (int h = 0; h < 4; ++h) a.v[h] = _mm_and_si128(a.v[h], _mm_set1_epi8(15));
  return a;
}
inline U8x64 high_nibbles(U8x64 a) {
  for (int h = 0; h < 4; ++h) a.v[h] = _mm_and_si128(_mm_srli_epi16(a.v[h], 4), _mm_set1_epi8(15));
  return a;
}
inline I32x16 broadcast_bytes(std::int32_t four_bytes) {
  const __m128i bytes = _mm_set1_epi32(four_bytes);
  return {bytes, bytes, bytes, bytes};
}
inline I32x16 zero_i32x16() {
  return broadcast_bytes(0);
}
// Codes reach 127 at most: a pair sum of pmaddubsw is at most 2 * 127 * 127 and never saturates.
inline I32x16 dot_bytes(I32x16 acc, U8x64 codes, I32x16 query) {
  for (int h = 0; h < 4; ++h)
    acc.v[h] = _mm_add_epi32(acc.v[h], _mm_madd_epi16(_mm_maddubs_epi16(codes.v[h], query.v[h]), _mm_set1_epi16(1)));
  return acc;
}
inline I32x16 add(I32x16 a, I32x16 b) {
  for (int h = 0; h < 4; ++h) a.v[h] = _mm_add_epi32(a.v[h], b.v[h]);
  return a;
}
inline F32x16 centred(I32x16 dots, int shift, std::int32_t offset) {
  F32x16 a;
  for (int h = 0; h < 4; ++h)
    a.v[h] = _mm_cvtepi32_ps(_mm_sub_epi32(_mm_sll_epi32(dots.v[h], _mm_cvtsi32_si128(shift)), _mm_set1_epi32(offset)));
  return a;
}
inline F32x16 load_f32x16(const float* p) {
  return {_mm_loadu_ps(p), _mm_loadu_ps(p + 4), _mm_loadu_ps(p + 8), _mm_loadu_ps(p + 12)};
}
inline F32x16 broadcast_f32x16(float a) {
  return {_mm_set1_ps(a), _mm_set1_ps(a), _mm_set1_ps(a), _mm_set1_ps(a)};
}
inline F32x16 mul(F32x16 a, F32x16 b) {
  for (int h = 0; h < 4; ++h) a.v[h] = _mm_mul_ps(a.v[h], b.v[h]);
  return a;
}
inline F32x16 add(F32x16 a, F32x16 b) {
  for (int h = 0; h < 4; ++h) a.v[h] = _mm_add_ps(a.v[h], b.v[h]);
  return a;
}
inline F32x16 sub(F32x16 a, F32x16 b) {
  for (int h = 0; h < 4; ++h) a.v[h] = _mm_sub_ps(a.v[h], b.v[h]);
  return a;
}
inline F32x16 min(F32x16 a, F32x16 b) {
  for (int h = 0; h < 4; ++h) a.v[h] = _mm_min_ps(a.v[h], b.v[h]);
  return a;
}
inline F32x16 max(F32x16 a, F32x16 b) {
  for (int h = 0; h < 4; ++h) a.v[h] = _mm_max_ps(a.v[h], b.v[h]);
  return a;
}
inline void store_low_bytes(std::uint8_t* p, F32x16 a) {
  __m128i low[4];
  for (int h = 0; h < 4; ++h) low[h] = _mm_and_si128(_mm_castps_si128(a.v[h]), _mm_set1_epi32(255));
  const __m128i bytes = _mm_packus_epi16(_mm_packus_epi32(low[0], low[1]), _mm_packus_epi32(low[2], low[3]));
  _mm_storeu_si128(reinterpret_cast<__m128i_u*>(p), bytes);
}
// Bit i is set unless a[i] <= limit: a NaN keeps its row.
inline std::uint32_t not_at_most(F32x16 a, float limit) {
  std::uint32_t mask = 0;
  for (int h = 0; h < 4; ++h) mask |= static_cast<std::uint32_t>(_mm_movemask_ps(_mm_cmpnle_ps(a.v[h], _mm_set1_ps(limit)))) << (4 * h);
  return mask;
}
inline void store_f32x16(float* p, F32x16 a) {
  for (int h = 0; h < 4; ++h) _mm_storeu_ps(p + 4 * h, a.v[h]);
}
// counts[i] += 1 unless a[i] <= b[i]: a NaN counts.
inline I32x16 count_not_at_most(I32x16 counts, F32x16 a, F32x16 b) {
  for (int h = 0; h < 4; ++h) counts.v[h] = _mm_sub_epi32(counts.v[h], _mm_castps_si128(_mm_cmpnle_ps(a.v[h], b.v[h])));
  return counts;
}
inline void store_i32x16(std::int32_t* p, I32x16 a) {
  for (int h = 0; h < 4; ++h) _mm_storeu_si128(reinterpret_cast<__m128i_u*>(p + 4 * h), a.v[h]);
}
