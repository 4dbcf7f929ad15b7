// simd.inl.h -- picks the dialect. A dialect defines two value types and the tile shapes that fill its registers:
//
//   F64   kLanes float64 lanes: zero_f64 load_f64 widen_f32 sub mul_add_exact mul_then_add fold_lanes
//   F32   native float32 lanes: zero_f32 load_f32 in_register sub add mul_add sum_lanes
//   kExactRows x kExactQueries (float64 tile), kFastRows x kFastQueries (float32 tile)
//   widen_f16_block: 8 half-precision values to float32
//
// mul_add_exact may fuse: it is used only where the product is exact in float64, so both ways give the same bits.
// mul_then_add never fuses. fold_lanes adds 16 lanes as the tree 8, 4, 2, 1.
#if defined(FASTCAL_SIMD_AVX512)
#include "kernels/simd/avx512.inl.h"
#elif defined(FASTCAL_SIMD_AVX2)
#include "kernels/simd/avx2.inl.h"
#elif defined(FASTCAL_SIMD_SSE)
#include "kernels/simd/sse.inl.h"
#else
#include "kernels/simd/neon.inl.h"
#endif
