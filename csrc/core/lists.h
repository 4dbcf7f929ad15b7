// lists.h -- per-list normalisation of flat scores: list i is [offsets[i], offsets[i + 1]).
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/parallel.h"
#include "kernels/kernel_table.h"

namespace fastcal {

using Offsets = std::span<const std::int64_t>;

// Both return the first list they cannot normalise (an infinity, or moments that overflow float64), or -1.
// T is float or double; `out` may be `scores`.
template <typename T>
std::int64_t minmax(const KernelTable& kernels, const T* scores, Offsets offsets, double on_constant, T* out, const CallContext& context);

template <typename T>
std::int64_t zscore(const KernelTable& kernels, const T* scores, Offsets offsets, std::int64_t ddof, T* out, const CallContext& context);

// The kernels of one element type.
template <typename T>
const ListKernels<T>& list_kernels(const KernelTable& kernels);

// visit(begin, end) over [0, n) in fixed pieces on all threads, for maps that treat every element alike.
template <typename Visit>
void for_each_piece(std::size_t n, double nanoseconds_each, const CallContext& context, const Visit& visit) {
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  const CallContext sized{worthwhile_threads(nanoseconds_each * static_cast<double>(n), context.num_threads), context.stop};
  parallel_for((n + kPiece - 1) / kPiece, sized,
               [&](std::size_t task, std::size_t) { visit(task * kPiece, std::min(n, (task + 1) * kPiece)); });
}

}  // namespace fastcal
