// lists.h -- per-list normalisation of flat scores: list i is [offsets[i], offsets[i + 1]).
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/parallel.h"
#include "kernels/kernel_table.h"

namespace fastcal {

using Offsets = std::span<const std::int64_t>;

// Which two statistics of a list make the map s -> (s - centre) / scale; docs/numerics.md has the formulas.
enum class AffineKind { minmax, max, sum, l2, zscore, dbsf, given };

struct AffineRule {
  AffineKind kind;
  bool higher_is_better;  // otherwise the list -s is normalised
  std::int64_t ddof;      // zscore, dbsf
  double n_sigma;         // dbsf
  double eps;             // > 0: the least scale; no list is constant then
  double tolerance;       // a list whose scale is not above it is constant
  double on_constant;     // value of a constant list, or infinity: its scores stay
  double on_single;       // value of a list of one score; infinity: it stays; -infinity: like any other list
  const double* given;    // two numbers per list: (centre, scale), or for minmax (low, high), NaN for the list's own; may be null
};

// Returns the first list it cannot normalise (an infinity, or statistics that overflow float64), or -1.
// T is float or double; `out` may be `scores`.
template <typename T>
std::int64_t affine_lists(const KernelTable& kernels, const T* scores, Offsets offsets, const AffineRule& rule, T* out,
                          const CallContext& context);

// One list on the calling thread; false if it cannot be normalised. `given` is two numbers or null, `out` may be `values`.
template <typename T>
bool affine_list(const ListKernels<T>& kernels, const AffineRule& rule, const double* given, const T* values, std::size_t n, T* out);

// out[offsets[i] + r] is the position in `scores` of the r-th best entry of list i: descending, ties by position, NaN last.
template <typename T>
void order_lists(const T* scores, Offsets offsets, std::int64_t* out, const CallContext& context);

enum class Ties { ordinal, min, average };

struct RankRule {
  bool higher_is_better;
  Ties ties;                 // the rank of equal scores: by position, the least, the mean
  const std::int64_t* pool;  // what ranks are divided by, one number per list; null for the list's own count of numbers
};

// out = 1 - rank / pool, ranks from 0; NaN stays. Returns the first list with an infinity, or -1. `out` may be `scores`.
template <typename T>
std::int64_t rank_lists(const T* scores, Offsets offsets, const RankRule& rule, T* out, const CallContext& context);

// The kernels of one element type.
template <typename T>
const ListKernels<T>& list_kernels(const KernelTable& kernels);

inline constexpr std::size_t kPiece = std::size_t{1} << 16;  // elements of a task

// visit(begin, end) over [0, n) in fixed pieces on all threads, for maps that treat every element alike.
template <typename Visit>
void for_each_piece(std::size_t n, double nanoseconds_each, const CallContext& context, const Visit& visit) {
  const CallContext sized{worthwhile_threads(nanoseconds_each * static_cast<double>(n), context.num_threads), context.stop};
  parallel_for((n + kPiece - 1) / kPiece, sized,
               [&](std::size_t task, std::size_t) { visit(task * kPiece, std::min(n, (task + 1) * kPiece)); });
}

// visit(list) for every list, in tasks of the lists that begin in the same kPiece elements.
template <typename Visit>
void for_each_list(Offsets offsets, double nanoseconds_each, const CallContext& context, const Visit& visit) {
  const auto total = static_cast<std::size_t>(offsets.back());
  const auto first_from = [offsets](std::size_t element) {
    return static_cast<std::size_t>(std::lower_bound(offsets.begin(), offsets.end() - 1, static_cast<std::int64_t>(element)) -
                                    offsets.begin());
  };
  const CallContext sized{worthwhile_threads(nanoseconds_each * static_cast<double>(total), context.num_threads), context.stop};
  parallel_for(total / kPiece + 1, sized, [&](std::size_t task, std::size_t) {
    const std::size_t end = first_from((task + 1) * kPiece);
    for (std::size_t list = first_from(task * kPiece); list < end; ++list) visit(list);
  });
}

}  // namespace fastcal
