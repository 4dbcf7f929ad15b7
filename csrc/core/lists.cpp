// lists.cpp -- whole lists are handed to threads; a list's own arithmetic order never depends on them.
#include "core/lists.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "core/search_plan.h"

namespace fastcal {
namespace {

// normalise(values, n, out) for every list, in tasks of about kTaskElements; first list it refuses, or -1.
template <typename T, typename Normalise>
std::int64_t for_each_list(const T* scores, Offsets offsets, T* out, const CallContext& context, const Normalise& normalise) {
  constexpr std::size_t kTaskElements = std::size_t{1} << 16;
  const std::size_t n_lists = offsets.size() - 1;
  const auto total = static_cast<std::size_t>(offsets.back());
  const std::size_t mean_length = std::max<std::size_t>(1, total / std::max<std::size_t>(1, n_lists));
  const std::size_t per_task = std::max<std::size_t>(1, kTaskElements / mean_length);
  const CallContext sized{worthwhile_threads(static_cast<double>(total), context.num_threads), context.stop};
  FirstBad bad;
  parallel_for((n_lists + per_task - 1) / per_task, sized, [&](std::size_t task, std::size_t) {
    const std::size_t end = std::min(n_lists, (task + 1) * per_task);
    for (std::size_t list = task * per_task; list < end; ++list) {
      const std::int64_t begin = offsets[list];
      if (!normalise(scores + begin, static_cast<std::size_t>(offsets[list + 1] - begin), out + begin)) bad.report(list);
    }
  });
  return bad.get();
}

template <typename T>
Moments blocked_sum(const ListKernels<T>& kernels, const T* values, std::size_t n) {
  Moments total{0.0, 0};
  for (std::size_t begin = 0; begin < n; begin += kMomentBlock) {
    const Moments block = kernels.sum(values + begin, std::min(kMomentBlock, n - begin));
    total = {total.sum + block.sum, total.count + block.count};
  }
  return total;
}

template <typename T>
double blocked_squared_deviations(const ListKernels<T>& kernels, const T* values, std::size_t n, double mean) {
  double total = 0.0;
  for (std::size_t begin = 0; begin < n; begin += kMomentBlock)
    total += kernels.squared_deviations(values + begin, std::min(kMomentBlock, n - begin), mean);
  return total;
}

}  // namespace

template <typename T>
const ListKernels<T>& list_kernels(const KernelTable& kernels) {
  if constexpr (std::is_same_v<T, float>) {
    return kernels.f32;
  } else {
    return kernels.f64;
  }
}
template const ListKernels<float>& list_kernels(const KernelTable&);
template const ListKernels<double>& list_kernels(const KernelTable&);

template <typename T>
std::int64_t minmax(const KernelTable& table, const T* scores, Offsets offsets, double on_constant, T* out, const CallContext& context) {
  const ListKernels<T>& kernels = list_kernels<T>(table);
  return for_each_list(scores, offsets, out, context, [&](const T* values, std::size_t n, T* target) {
    const Extent extent = kernels.extent(values, n);
    if (extent.count == 0) {
      std::copy_n(values, n, target);
      return true;
    }
    if (!std::isfinite(extent.min) || !std::isfinite(extent.max)) return false;
    if (extent.min == extent.max) {
      kernels.constant(values, n, on_constant, target);
    } else {
      kernels.minmax(values, n, extent.min, extent.max, target);
    }
    return true;
  });
}

template <typename T>
std::int64_t zscore(const KernelTable& table, const T* scores, Offsets offsets, std::int64_t ddof, T* out, const CallContext& context) {
  const ListKernels<T>& kernels = list_kernels<T>(table);
  return for_each_list(scores, offsets, out, context, [&](const T* values, std::size_t n, T* target) {
    const Extent extent = kernels.extent(values, n);
    const auto freedom = static_cast<std::int64_t>(extent.count) - ddof;
    if (extent.count > 0 && (!std::isfinite(extent.min) || !std::isfinite(extent.max))) return false;
    double mean = 0.0, std = 0.0;
    if (freedom > 0 && extent.min != extent.max) {
      mean = blocked_sum(kernels, values, n).sum / static_cast<double>(extent.count);
      std = std::sqrt(blocked_squared_deviations(kernels, values, n, mean) / static_cast<double>(freedom));
      if (!std::isfinite(mean) || !std::isfinite(std)) return false;
    }
    if (std == 0.0) {
      kernels.constant(values, n, 0.0, target);
    } else {
      kernels.zscore(values, n, mean, std, target);
    }
    return true;
  });
}

template std::int64_t minmax(const KernelTable&, const float*, Offsets, double, float*, const CallContext&);
template std::int64_t minmax(const KernelTable&, const double*, Offsets, double, double*, const CallContext&);
template std::int64_t zscore(const KernelTable&, const float*, Offsets, std::int64_t, float*, const CallContext&);
template std::int64_t zscore(const KernelTable&, const double*, Offsets, std::int64_t, double*, const CallContext&);

}  // namespace fastcal
