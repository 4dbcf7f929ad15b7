// isa_unit.cpp -- compiled once per instruction set; exports exactly one symbol, that set's KernelTable.
//
// Contract of everything included below: it lives in an anonymous namespace inside fastcal::FASTCAL_ISA and
// instantiates nothing of the standard library. A weak symbol (an inline function, a template) emitted by a unit
// compiled for AVX-512 could be picked by the linker for the baseline path and crash older CPUs;
// tests/test_architecture.py looks at the symbols of every unit.
#ifndef FASTCAL_ISA
#error "compile through fastcal_add_isa_unit (csrc/cmake/isa.cmake), which names the instruction set"
#endif

#include "kernels/kernel_table.h"
#include "kernels/simd/intrinsics.h"

namespace fastcal::FASTCAL_ISA {
namespace {
// Order matters: each body uses only what stands above it.
// clang-format off
#include "kernels/simd.inl.h"
#include "kernels/exact_tile.inl.h"
#include "kernels/fast_tile.inl.h"
#include "kernels/score_rows.inl.h"
#include "kernels/bound_keys.inl.h"
#include "kernels/convert.inl.h"
#include "kernels/lists.inl.h"
#include "kernels/calibration.inl.h"
#include "kernels/knots.inl.h"
#include "kernels/probability_maps.inl.h"
#include "kernels/sketch_scan.inl.h"
#include "kernels/sketch_bands.inl.h"
#include "kernels/rotation.inl.h"
#include "kernels/sketch_rows.inl.h"
#include "kernels/digest.inl.h"
// clang-format on
}  // namespace

#define FASTCAL_STRING_(x) #x
#define FASTCAL_STRING(x) FASTCAL_STRING_(x)

extern const KernelTable table;
const KernelTable table = {
    .name = FASTCAL_STRING(FASTCAL_ISA),
    .exact_scores = {exact_scores<Metric::cosine>, exact_scores<Metric::dot>, exact_scores<Metric::euclidean>},
    .fast_scores = {fast_scores<Metric::cosine>, fast_scores<Metric::dot>, fast_scores<Metric::euclidean>},
    .bound_keys = {bound_keys<Metric::cosine>, bound_keys<Metric::dot>, bound_keys<Metric::euclidean>},
    .squared_norms = squared_norms,
    .widen_f16 = widen_f16,
    .widen_bf16 = widen_bf16,
    .round_to_float32 = round_to_float32,
    .scan4 = {scan_sketch<4, Metric::cosine>, scan_sketch<4, Metric::dot>, scan_sketch<4, Metric::euclidean>},
    .scan7 = {scan_sketch<7, Metric::cosine>, scan_sketch<7, Metric::dot>, scan_sketch<7, Metric::euclidean>},
    .band7 = {band_sketch<Metric::cosine>, band_sketch<Metric::dot>, band_sketch<Metric::euclidean>},
    .sketch_row = sketch_row,
    .digest = digest,
    .f32 = {extent<float>, moments<float>, affine<float>, constant<float>, platt_predict, isotonic_predict<float>, positions<float>,
            interpolate<float>, beta_predict<float>, step_predict<float>, look_up<float>},
    .f64 = {extent<double>, moments<double>, affine<double>, constant<double>, platt_predict, isotonic_predict<double>, positions<double>,
            interpolate<double>, beta_predict<double>, step_predict<double>, look_up<double>},
};

}  // namespace fastcal::FASTCAL_ISA
