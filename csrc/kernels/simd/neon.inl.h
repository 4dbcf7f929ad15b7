// neon.inl.h -- aarch64: 32 registers of 2 float64 or 4 float32, with FMA.
inline constexpr int kExactRows = 1, kExactQueries = 3;
inline constexpr int kFastRows = 4, kFastQueries = 4;

struct F64 {
  static constexpr int kLanes = 2;
  float64x2_t v;
};
inline F64 zero_f64() {
  return {vdupq_n_f64(0.0)};
}
inline F64 load_f64(const double* p) {
  return {vld1q_f64(p)};
}
inline F64 widen_f32(const float* p) {
  return {vcvt_f64_f32(vld1_f32(p))};
}
inline F64 sub(F64 a, F64 b) {
  return {vsubq_f64(a.v, b.v)};
}
inline F64 mul_add_exact(F64 acc, F64 a, F64 b) {
  return {vfmaq_f64(acc.v, a.v, b.v)};
}
inline F64 mul_then_add(F64 acc, F64 a, F64 b) {
  return {vaddq_f64(acc.v, vmulq_f64(a.v, b.v))};
}
inline double fold_lanes(const F64 (&parts)[8]) {
  float64x2_t half[4];
  for (int i = 0; i < 4; ++i) half[i] = vaddq_f64(parts[i].v, parts[i + 4].v);
  const float64x2_t sum_f64x2 = vaddq_f64(vaddq_f64(half[0], half[2]), vaddq_f64(half[1], half[3]));
  return vgetq_lane_f64(sum_f64x2, 0) + vgetq_lane_f64(sum_f64x2, 1);
}

struct F32 {
  static constexpr int kLanes = 4;
  float32x4_t v;
};
inline F32 zero_f32() {
  return {vdupq_n_f32(0.0f)};
}
inline F32 load_f32(const float* p) {
  return {vld1q_f32(p)};
}
// Keeps a value that was loaded from being loaded again by each instruction that uses it.
inline F32 in_register(F32 a) {
  __asm__("" : "+w"(a.v));
  return a;
}
inline F32 sub(F32 a, F32 b) {
  return {vsubq_f32(a.v, b.v)};
}
inline F32 add(F32 a, F32 b) {
  return {vaddq_f32(a.v, b.v)};
}
inline F32 mul_add(F32 acc, F32 a, F32 b) {
  return {vfmaq_f32(acc.v, a.v, b.v)};
}
inline float sum_lanes(F32 a) {
  return vaddvq_f32(a.v);
}

inline void widen_f16_block(const std::uint16_t* bits, float* out) {
  const float16x8_t half_f16x8 = vreinterpretq_f16_u16(vld1q_u16(bits));
  vst1q_f32(out, vcvt_f32_f16(vget_low_f16(half_f16x8)));
  vst1q_f32(out + 4, vcvt_high_f32_f16(half_f16x8));
}

// -- sketches: 16 rows at once, 4 dimensions of a row per 32-bit lane, in four quarters ---------------------------
inline constexpr int kSketchBlocks = 1, kSketchQueries = 4;

struct U8x64 {
  uint8x16_t v[4];
};
struct I32x16 {
  int32x4_t v[4];
};
struct F32x16 {
  float32x4_t v[4];
};
inline U8x64 load_codes(const std::uint8_t* p) {
  return {vld1q_u8(p), vld1q_u8(p + 16), vld1q_u8(p + 32), vld1q_u8(p + 48)};
}
inline U8x64 low_nibbles(U8x64 a) {
  for (int h = 0; h < 4; ++h) a.v[h] = vandq_u8(a.v[h], vdupq_n_u8(15));
  return a;
}
inline U8x64 high_nibbles(U8x64 a) {
  for (int h = 0; h < 4; ++h) a.v[h] = vshrq_n_u8(a.v[h], 4);
  return a;
}
inline I32x16 broadcast_bytes(std::int32_t four_bytes) {
  const int32x4_t bytes = vdupq_n_s32(four_bytes);
  return {bytes, bytes, bytes, bytes};
}
inline I32x16 zero_i32x16() {
  return broadcast_bytes(0);
}
// Codes reach 127 at most, so they are signed bytes as well, and a pair of products fits 16 bits.
inline I32x16 dot_bytes(I32x16 acc, U8x64 codes, I32x16 query) {
  for (int h = 0; h < 4; ++h) {
    const int8x16_t c = vreinterpretq_s8_u8(codes.v[h]), q = vreinterpretq_s8_s32(query.v[h]);
#if defined(__ARM_FEATURE_DOTPROD)
    acc.v[h] = vdotq_s32(acc.v[h], c, q);
#else
    const int16x8_t pairs_i16x8 = vpaddq_s16(vmull_s8(vget_low_s8(c), vget_low_s8(q)), vmull_high_s8(c, q));
    acc.v[h] = vpadalq_s16(acc.v[h], pairs_i16x8);
#endif
  }
  return acc;
}
inline I32x16 add(I32x16 a, I32x16 b) {
  for (int h = 0; h < 4; ++h) a.v[h] = vaddq_s32(a.v[h], b.v[h]);
  return a;
}
inline F32x16 centred(I32x16 dots, int shift, std::int32_t offset) {
  F32x16 a;
  for (int h = 0; h < 4; ++h) a.v[h] = vcvtq_f32_s32(vsubq_s32(vshlq_s32(dots.v[h], vdupq_n_s32(shift)), vdupq_n_s32(offset)));
  return a;
}
inline F32x16 load_f32x16(const float* p) {
  return {vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
}
inline F32x16 broadcast_f32x16(float a) {
  return {vdupq_n_f32(a), vdupq_n_f32(a), vdupq_n_f32(a), vdupq_n_f32(a)};
}
inline F32x16 mul(F32x16 a, F32x16 b) {
  for (int h = 0; h < 4; ++h) a.v[h] = vmulq_f32(a.v[h], b.v[h]);
  return a;
}
inline F32x16 add(F32x16 a, F32x16 b) {
  for (int h = 0; h < 4; ++h) a.v[h] = vaddq_f32(a.v[h], b.v[h]);
  return a;
}
inline F32x16 sub(F32x16 a, F32x16 b) {
  for (int h = 0; h < 4; ++h) a.v[h] = vsubq_f32(a.v[h], b.v[h]);
  return a;
}
inline F32x16 min(F32x16 a, F32x16 b) {
  for (int h = 0; h < 4; ++h) a.v[h] = vminq_f32(a.v[h], b.v[h]);
  return a;
}
inline F32x16 max(F32x16 a, F32x16 b) {
  for (int h = 0; h < 4; ++h) a.v[h] = vmaxq_f32(a.v[h], b.v[h]);
  return a;
}
inline void store_low_bytes(std::uint8_t* p, F32x16 a) {
  uint16x4_t words[4];
  for (int h = 0; h < 4; ++h) words[h] = vmovn_u32(vreinterpretq_u32_f32(a.v[h]));
  vst1q_u8(p, vcombine_u8(vmovn_u16(vcombine_u16(words[0], words[1])), vmovn_u16(vcombine_u16(words[2], words[3]))));
}
// Bit i is set unless a[i] <= limit: a NaN keeps its row.
inline std::uint32_t not_at_most(F32x16 a, float limit) {
  const uint32x4_t bits = {1, 2, 4, 8};
  std::uint32_t mask = 0;
  for (int h = 0; h < 4; ++h) mask |= vaddvq_u32(vbicq_u32(bits, vcleq_f32(a.v[h], vdupq_n_f32(limit)))) << (4 * h);
  return mask;
}
inline void store_f32x16(float* p, F32x16 a) {
  for (int h = 0; h < 4; ++h) vst1q_f32(p + 4 * h, a.v[h]);
}
// counts[i] += 1 unless a[i] <= b[i]: a NaN counts.
inline I32x16 count_not_at_most(I32x16 counts, F32x16 a, F32x16 b) {
  for (int h = 0; h < 4; ++h) counts.v[h] = vsubq_s32(counts.v[h], vreinterpretq_s32_u32(vmvnq_u32(vcleq_f32(a.v[h], b.v[h]))));
  return counts;
}
inline void store_i32x16(std::int32_t* p, I32x16 a) {
  for (int h = 0; h < 4; ++h) vst1q_s32(p + 4 * h, a.v[h]);
}
