// intrinsics.h -- the compiler's vector intrinsics, included at global scope, and proof that the flags agree.
#pragma once

#if defined(FASTCAL_SIMD_AVX512)
#if !defined(__AVX512F__) || !defined(__AVX512DQ__) || !defined(__AVX512VL__) || !defined(__AVX512BW__) || !defined(__FMA__)
#error "this unit is meant for AVX-512 (x86-64-v4) but is compiled without it"
#endif
#elif defined(FASTCAL_SIMD_AVX2)
#if !defined(__AVX2__) || !defined(__FMA__) || !defined(__F16C__)
#error "this unit is meant for AVX2 (x86-64-v3) but is compiled without it"
#endif
#elif defined(FASTCAL_SIMD_SSE)
#if !defined(__SSE4_2__) || defined(__AVX__)
#error "this unit is meant for x86-64-v2, no more and no less"
#endif
#elif !defined(FASTCAL_SIMD_NEON)
#error "csrc/cmake/isa.cmake must define one FASTCAL_SIMD_* dialect"
#endif

#if defined(FASTCAL_SIMD_NEON)
#include <arm_neon.h>
#else
#include <immintrin.h>
#endif
