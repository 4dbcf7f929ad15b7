// avx512.inl.h -- 32 registers of 8 float64 or 16 float32.
// GCC 12 reports its own _mm512_undefined_* helpers as uninitialised; the warning is silenced here, once.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

inline constexpr int kExactRows = 4, kExactQueries = 3;
inline constexpr int kFastRows = 4, kFastQueries = 6;

struct F64 {
  static constexpr int kLanes = 8;
  __m512d v;
};
inline F64 zero_f64() {
  return {_mm512_setzero_pd()};
}
inline F64 load_f64(const double* p) {
  return {_mm512_loadu_pd(p)};
}
inline F64 widen_f32(const float* p) {
  return {_mm512_cvtps_pd(_mm256_loadu_ps(p))};
}
inline F64 sub(F64 a, F64 b) {
  return {_mm512_sub_pd(a.v, b.v)};
}
inline F64 mul_add_exact(F64 acc, F64 a, F64 b) {
  return {_mm512_fmadd_pd(a.v, b.v, acc.v)};
}
inline F64 mul_then_add(F64 acc, F64 a, F64 b) {
  return {_mm512_add_pd(acc.v, _mm512_mul_pd(a.v, b.v))};
}
inline double fold_lanes(const F64 (&parts)[2]) {
  const __m512d sum_f64x8 = _mm512_add_pd(parts[0].v, parts[1].v);
  const __m256d sum_f64x4 = _mm256_add_pd(_mm512_castpd512_pd256(sum_f64x8), _mm512_extractf64x4_pd(sum_f64x8, 1));
  const __m128d sum_f64x2 = _mm_add_pd(_mm256_castpd256_pd128(sum_f64x4), _mm256_extractf128_pd(sum_f64x4, 1));
  return _mm_cvtsd_f64(_mm_add_sd(sum_f64x2, _mm_unpackhi_pd(sum_f64x2, sum_f64x2)));
}

struct F32 {
  static constexpr int kLanes = 16;
  __m512 v;
};
inline F32 zero_f32() {
  return {_mm512_setzero_ps()};
}
inline F32 load_f32(const float* p) {
  return {_mm512_loadu_ps(p)};
}
// Keeps a value that was loaded from being loaded again by each instruction that uses it.
inline F32 in_register(F32 a) {
  __asm__("" : "+v"(a.v));
  return a;
}
inline F32 sub(F32 a, F32 b) {
  return {_mm512_sub_ps(a.v, b.v)};
}
inline F32 add(F32 a, F32 b) {
  return {_mm512_add_ps(a.v, b.v)};
}
inline F32 mul_add(F32 acc, F32 a, F32 b) {
  return {_mm512_fmadd_ps(a.v, b.v, acc.v)};
}
inline float sum_lanes(F32 a) {
  return _mm512_reduce_add_ps(a.v);
}

inline void widen_f16_block(const std::uint16_t* bits, float* out) {
  _mm256_storeu_ps(out, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bits))));
}

// -- sketches: 16 rows at once, 4 dimensions of a row per 32-bit lane ---------------------------------------------
inline constexpr int kSketchBlocks = 4, kSketchQueries = 6;

struct U8x64 {
  __m512i v;
};
struct I32x16 {
  __m512i v;
};
struct F32x16 {
  __m512 v;
};
inline U8x64 load_codes(const std::uint8_t* p) {
  return {_mm512_loadu_si512(p)};
}
inline U8x64 low_nibbles(U8x64 a) {
  return {_mm512_and_si512(a.v, _mm512_set1_epi8(15))};
}
inline U8x64 high_nibbles(U8x64 a) {
  return {_mm512_and_si512(_mm512_srli_epi16(a.v, 4), _mm512_set1_epi8(15))};
}
inline I32x16 zero_i32x16() {
  return {_mm512_setzero_si512()};
}
inline I32x16 broadcast_bytes(std::int32_t four_bytes) {
  return {_mm512_set1_epi32(four_bytes)};
}
inline I32x16 dot_bytes(I32x16 acc, U8x64 codes, I32x16 query) {
#if defined(__AVX512VNNI__)
  return {_mm512_dpbusd_epi32(acc.v, codes.v, query.v)};
#else
  const __m512i pairs_i16x32 = _mm512_maddubs_epi16(codes.v, query.v);
  return {_mm512_add_epi32(acc.v, _mm512_madd_epi16(pairs_i16x32, _mm512_set1_epi16(1)))};
#endif
}
inline I32x16 add(I32x16 a, I32x16 b) {
  return {_mm512_add_epi32(a.v, b.v)};
}
inline F32x16 centred(I32x16 dots, int shift, std::int32_t offset) {
  return {_mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_sll_epi32(dots.v, _mm_cvtsi32_si128(shift)), _mm512_set1_epi32(offset)))};
}
inline F32x16 load_f32x16(const float* p) {
  return {_mm512_loadu_ps(p)};
}
inline F32x16 broadcast_f32x16(float a) {
  return {_mm512_set1_ps(a)};
}
inline F32x16 mul(F32x16 a, F32x16 b) {
  return {_mm512_mul_ps(a.v, b.v)};
}
inline F32x16 add(F32x16 a, F32x16 b) {
  return {_mm512_add_ps(a.v, b.v)};
}
inline F32x16 sub(F32x16 a, F32x16 b) {
  return {_mm512_sub_ps(a.v, b.v)};
}
inline F32x16 min(F32x16 a, F32x16 b) {
  return {_mm512_min_ps(a.v, b.v)};
}
inline F32x16 max(F32x16 a, F32x16 b) {
  return {_mm512_max_ps(a.v, b.v)};
}
inline void store_low_bytes(std::uint8_t* p, F32x16 a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_castps_si512(a.v)));
}
// Bit i is set unless a[i] <= limit: a NaN keeps its row.
inline std::uint32_t not_at_most(F32x16 a, float limit) {
  return _mm512_cmp_ps_mask(a.v, _mm512_set1_ps(limit), _CMP_NLE_UQ);
}
inline void store_f32x16(float* p, F32x16 a) {
  _mm512_storeu_ps(p, a.v);
}
// counts[i] += 1 unless a[i] <= b[i]: a NaN counts.
inline I32x16 count_not_at_most(I32x16 counts, F32x16 a, F32x16 b) {
  return {_mm512_mask_add_epi32(counts.v, _mm512_cmp_ps_mask(a.v, b.v, _CMP_NLE_UQ), counts.v, _mm512_set1_epi32(1))};
}
inline void store_i32x16(std::int32_t* p, I32x16 a) {
  _mm512_storeu_si512(p, a.v);
}

// -- lookups ------------------------------------------------------------------------------------------------------
// Places in tables of T, and what stands there.
template <typename T>
struct Lookup;

template <>
struct Lookup<float> {
  static constexpr std::size_t kLanes = 16;
  using Places = __m512i;
  static Places load(const std::int32_t* p) { return _mm512_loadu_si512(p); }
  static void store(std::int32_t* p, Places at) { _mm512_storeu_si512(p, at); }
  static __m512 gather(const float* p, Places at) { return _mm512_i32gather_ps(at, p, 4); }
  static __m512 load(const float* p) { return _mm512_loadu_ps(p); }
  // at[i] + step where low[i] <= high[i].
  static Places add_where_at_most(Places at, std::int32_t step, __m512 low, __m512 high) {
    return _mm512_mask_add_epi32(at, _mm512_cmp_ps_mask(low, high, _CMP_LE_OQ), at, _mm512_set1_epi32(step));
  }
};

template <>
struct Lookup<double> {
  static constexpr std::size_t kLanes = 8;
  using Places = __m256i;
  static Places load(const std::int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static void store(std::int32_t* p, Places at) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), at); }
  static __m512d gather(const double* p, Places at) { return _mm512_i32gather_pd(at, p, 8); }
  static __m512d load(const double* p) { return _mm512_loadu_pd(p); }
  static Places add_where_at_most(Places at, std::int32_t step, __m512d low, __m512d high) {
    return _mm256_mask_add_epi32(at, _mm512_cmp_pd_mask(low, high, _CMP_LE_OQ), at, _mm256_set1_epi32(step));
  }
};
