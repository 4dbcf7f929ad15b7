// avx2.inl.h -- 16 registers of 4 float64 or 8 float32, with FMA.
inline constexpr int kExactRows = 1, kExactQueries = 3;
inline constexpr int kFastRows = 2, kFastQueries = 4;

struct F64 {
  static constexpr int kLanes = 4;
  __m256d v;
};
inline F64 zero_f64() {
  return {_mm256_setzero_pd()};
}
inline F64 load_f64(const double* p) {
  return {_mm256_loadu_pd(p)};
}
inline F64 widen_f32(const float* p) {
  return {_mm256_cvtps_pd(_mm_loadu_ps(p))};
}
inline F64 sub(F64 a, F64 b) {
  return {_mm256_sub_pd(a.v, b.v)};
}
inline F64 mul_add_exact(F64 acc, F64 a, F64 b) {
  return {_mm256_fmadd_pd(a.v, b.v, acc.v)};
}
inline F64 mul_then_add(F64 acc, F64 a, F64 b) {
  return {_mm256_add_pd(acc.v, _mm256_mul_pd(a.v, b.v))};
}
inline double fold_lanes(const F64 (&parts)[4]) {
  const __m256d low_f64x4 = _mm256_add_pd(parts[0].v, parts[2].v);
  const __m256d high_f64x4 = _mm256_add_pd(parts[1].v, parts[3].v);
  const __m256d sum_f64x4 = _mm256_add_pd(low_f64x4, high_f64x4);
  const __m128d sum_f64x2 = _mm_add_pd(_mm256_castpd256_pd128(sum_f64x4), _mm256_extractf128_pd(sum_f64x4, 1));
  return _mm_cvtsd_f64(_mm_add_sd(sum_f64x2, _mm_unpackhi_pd(sum_f64x2, sum_f64x2)));
}

struct F32 {
  static constexpr int kLanes = 8;
  __m256 v;
};
inline F32 zero_f32() {
  return {_mm256_setzero_ps()};
}
inline F32 load_f32(const float* p) {
  return {_mm256_loadu_ps(p)};
}
// Keeps a value that was loaded from being loaded again by each instruction that uses it.
inline F32 in_register(F32 a) {
  __asm__("" : "+x"(a.v));
  return a;
}
inline F32 sub(F32 a, F32 b) {
  return {_mm256_sub_ps(a.v, b.v)};
}
inline F32 add(F32 a, F32 b) {
  return {_mm256_add_ps(a.v, b.v)};
}
inline F32 mul_add(F32 acc, F32 a, F32 b) {
  return {_mm256_fmadd_ps(a.v, b.v, acc.v)};
}
inline float sum_lanes(F32 a) {
  const __m128 sum_f32x4 = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 sum_f32x2 = _mm_add_ps(sum_f32x4, _mm_movehl_ps(sum_f32x4, sum_f32x4));
  return _mm_cvtss_f32(_mm_add_ss(sum_f32x2, _mm_movehdup_ps(sum_f32x2)));
}

inline void widen_f16_block(const std::uint16_t* bits, float* out) {
  _mm256_storeu_ps(out, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bits))));
}

// -- sketches: 16 rows at once, 4 dimensions of a row per 32-bit lane, in two halves ------------------------------
inline constexpr int kSketchBlocks = 1, kSketchQueries = 4;

struct U8x64 {
  __m256i v[2];
};
struct I32x16 {
  __m256i v[2];
};
struct F32x16 {
  __m256 v[2];
};
inline U8x64 load_codes(const std::uint8_t* p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(p)), _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(p + 32))};
}
inline U8x64 low_nibbles(U8x64 a) {
  const __m256i mask = _mm256_set1_epi8(15);
  return {_mm256_and_si256(a.v[0], mask), _mm256_and_si256(a.v[1], mask)};
}
inline U8x64 high_nibbles(U8x64 a) {
  const __m256i mask = _mm256_set1_epi8(15);
  return {_mm256_and_si256(_mm256_srli_epi16(a.v[0], 4), mask), _mm256_and_si256(_mm256_srli_epi16(a.v[1], 4), mask)};
}
inline I32x16 zero_i32x16() {
  return {_mm256_setzero_si256(), _mm256_setzero_si256()};
}
inline I32x16 broadcast_bytes(std::int32_t four_bytes) {
  const __m256i bytes = _mm256_set1_epi32(four_bytes);
  return {bytes, bytes};
}
// Codes reach 127 at most: a pair sum of vpmaddubsw is at most 2 * 127 * 127 and never saturates.
inline I32x16 dot_bytes(I32x16 acc, U8x64 codes, I32x16 query) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (int h = 0; h < 2; ++h) acc.v[h] = _mm256_add_epi32(acc.v[h], _mm256_madd_epi16(_mm256_maddubs_epi16(codes.v[h], query.v[h]), ones));
  return acc;
}
inline I32x16 add(I32x16 a, I32x16 b) {
  return {_mm256_add_epi32(a.v[0], b.v[0]), _mm256_add_epi32(a.v[1], b.v[1])};
}
inline F32x16 centred(I32x16 dots, int shift, std::int32_t offset) {
  const __m128i count = _mm_cvtsi32_si128(shift);
  const __m256i minus = _mm256_set1_epi32(offset);
  return {_mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_sll_epi32(dots.v[0], count), minus)),
          _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_sll_epi32(dots.v[1], count), minus))};
}
inline F32x16 load_f32x16(const float* p) {
  return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
inline F32x16 broadcast_f32x16(float a) {
  return {_mm256_set1_ps(a), _mm256_set1_ps(a)};
}
inline F32x16 mul(F32x16 a, F32x16 b) {
  return {_mm256_mul_ps(a.v[0], b.v[0]), _mm256_mul_ps(a.v[1], b.v[1])};
}
inline F32x16 add(F32x16 a, F32x16 b) {
  return {_mm256_add_ps(a.v[0], b.v[0]), _mm256_add_ps(a.v[1], b.v[1])};
}
inline F32x16 sub(F32x16 a, F32x16 b) {
  return {_mm256_sub_ps(a.v[0], b.v[0]), _mm256_sub_ps(a.v[1], b.v[1])};
}
inline F32x16 min(F32x16 a, F32x16 b) {
  return {_mm256_min_ps(a.v[0], b.v[0]), _mm256_min_ps(a.v[1], b.v[1])};
}
inline F32x16 max(F32x16 a, F32x16 b) {
  return {_mm256_max_ps(a.v[0], b.v[0]), _mm256_max_ps(a.v[1], b.v[1])};
}
inline void store_low_bytes(std::uint8_t* p, F32x16 a) {
  const __m256i low = _mm256_set1_epi32(255);
  const __m256i words_i16x16 =
      _mm256_packus_epi32(_mm256_and_si256(_mm256_castps_si256(a.v[0]), low), _mm256_and_si256(_mm256_castps_si256(a.v[1]), low));
  const __m256i in_order = _mm256_permute4x64_epi64(words_i16x16, 0xd8);
  const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(in_order), _mm256_extracti128_si256(in_order, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i_u*>(p), bytes);
}
// Bit i is set unless a[i] <= limit: a NaN keeps its row.
inline std::uint32_t not_at_most(F32x16 a, float limit) {
  const __m256 bar = _mm256_set1_ps(limit);
  const int low = _mm256_movemask_ps(_mm256_cmp_ps(a.v[0], bar, _CMP_NLE_UQ));
  const int high = _mm256_movemask_ps(_mm256_cmp_ps(a.v[1], bar, _CMP_NLE_UQ));
  return static_cast<std::uint32_t>(low | high << 8);
}
inline void store_f32x16(float* p, F32x16 a) {
  _mm256_storeu_ps(p, a.v[0]);
  _mm256_storeu_ps(p + 8, a.v[1]);
}
// counts[i] += 1 unless a[i] <= b[i]: a NaN counts.
inline I32x16 count_not_at_most(I32x16 counts, F32x16 a, F32x16 b) {
  for (int h = 0; h < 2; ++h) counts.v[h] = _mm256_sub_epi32(counts.v[h], _mm256_castps_si256(_mm256_cmp_ps(a.v[h], b.v[h], _CMP_NLE_UQ)));
  return counts;
}
inline void store_i32x16(std::int32_t* p, I32x16 a) {
  for (int h = 0; h < 2; ++h) _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(p + 8 * h), a.v[h]);
}
