// lists.cpp -- whole lists are handed to threads, and a list too long for that in pieces; the blocks of its sums, and so its
// bytes, are the same either way.
#include "core/lists.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "core/list_statistics.h"
#include "core/search_plan.h"

namespace fastcal {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kLongList = 4 * kPiece;  // from here on several threads share a list
static_assert(kPiece % kMomentBlock == 0, "pieces end where blocks end");

// What becomes of a list: a line, one value for all (then scale is 0), or a refusal.
struct Plan {
  bool refused = false;
  double value = 0.0;
  Line line{1.0, 0.0, 0.0};
};

double deviation(const Summary& summary, std::int64_t ddof) {
  const double freedom = static_cast<double>(static_cast<std::int64_t>(summary.count) - ddof);
  return freedom > 0.0 ? std::sqrt(summary.squares / freedom) : 0.0;
}

Line minmax_line(double low, double high) {
  const double unit = std::isfinite(high - low) ? 1.0 : 0.5;  // float64 lists whose range overflows
  return {unit, low * unit, high * unit - low * unit};
}

// The line of the list as it is if higher is better, else of the list -s.
Line line_of(const AffineRule& rule, const Summary& summary, const double* given) {
  const bool up = rule.higher_is_better;
  double low = up ? summary.min : -summary.max, high = up ? summary.max : -summary.min;
  const double mean = up ? summary.mean : -summary.mean;
  switch (rule.kind) {
    case AffineKind::minmax:
      if (given != nullptr) {
        const double own_low = low, own_high = high;
        low = up ? given[0] : -given[1];
        high = up ? given[1] : -given[0];
        if (std::isnan(low)) low = own_low;
        if (std::isnan(high)) high = own_high;
      }
      return minmax_line(low, high);
    case AffineKind::max:
      return {1.0, 0.0, high > 0.0 || rule.eps > 0.0 ? high : -low};
    case AffineKind::sum:
      return {1.0, low, static_cast<double>(summary.count) * (mean - low)};
    case AffineKind::l2:
      return {1.0, 0.0, std::sqrt(summary.squares)};
    case AffineKind::zscore:
      return {1.0, mean, deviation(summary, rule.ddof)};
    case AffineKind::dbsf: {
      const double reach = rule.n_sigma * deviation(summary, rule.ddof);
      return {1.0, mean - reach, 2.0 * reach};
    }
    case AffineKind::given:
      break;
  }
  return {1.0, up ? given[0] : -given[0], given[1]};
}

bool is_finite(const Summary& summary) {
  const bool extent = summary.min > summary.max || (std::isfinite(summary.min) && std::isfinite(summary.max));
  return extent && std::isfinite(summary.mean) && std::isfinite(summary.squares);
}

Plan filled(const AffineRule& rule, double value) {
  if (value == kInfinity) return {.line = {1.0, 0.0, rule.higher_is_better ? 1.0 : -1.0}};
  return {.value = value};
}

Plan plan_of(const AffineRule& rule, const Summary& summary, const double* given) {
  if (summary.count == 0) return {};
  if (!is_finite(summary)) return {.refused = true};
  if (summary.count == 1 && rule.on_single != -kInfinity) return filled(rule, rule.on_single);
  Line line = line_of(rule, summary, given);
  if (!std::isfinite(line.centre) || !std::isfinite(line.scale)) return {.refused = true};
  if (rule.eps > 0.0) {
    line.scale = std::max(line.scale, rule.eps);
  } else if (line.scale <= rule.tolerance) {
    return filled(rule, rule.on_constant);
  }
  if (!rule.higher_is_better) line = {line.unit, -line.centre, -line.scale};
  return {.line = line};
}

template <typename T>
void apply(const ListKernels<T>& kernels, const Plan& plan, const T* values, std::size_t n, T* out) {
  if (plan.line.scale == 0.0) {
    kernels.constant(values, n, plan.value, out);
  } else {
    kernels.affine(values, n, plan.line, out);
  }
}

// One list on all threads: the statistics of its blocks, their sum in order, the map.
template <typename T>
bool share_list(const ListKernels<T>& kernels, const AffineRule& rule, const double* given, const T* values, std::size_t n, T* out,
                const CallContext& context) {
  std::vector<Summary> blocks((n + kMomentBlock - 1) / kMomentBlock);
  for_each_piece(n, 1.0, context, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; begin += kMomentBlock)
      blocks[begin / kMomentBlock] = summarise_block(kernels, rule.kind, values + begin, std::min(kMomentBlock, end - begin));
  });
  Summary total;
  for (const Summary& block : blocks) merge(rule.kind, total, block);
  const Plan plan = plan_of(rule, total, given);
  if (plan.refused) return false;
  for_each_piece(n, 1.0, context,
                 [&](std::size_t begin, std::size_t end) { apply(kernels, plan, values + begin, end - begin, out + begin); });
  return true;
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
bool affine_list(const ListKernels<T>& kernels, const AffineRule& rule, const double* given, const T* values, std::size_t n, T* out) {
  const Plan plan = plan_of(rule, summarise(kernels, rule.kind, values, n), given);
  if (plan.refused) return false;
  apply(kernels, plan, values, n, out);
  return true;
}

template bool affine_list(const ListKernels<float>&, const AffineRule&, const double*, const float*, std::size_t, float*);
template bool affine_list(const ListKernels<double>&, const AffineRule&, const double*, const double*, std::size_t, double*);

template <typename T>
std::int64_t affine_lists(const KernelTable& table, const T* scores, Offsets offsets, const AffineRule& rule, T* out,
                          const CallContext& context) {
  const ListKernels<T>& kernels = list_kernels<T>(table);
  const auto length = [offsets](std::size_t list) { return static_cast<std::size_t>(offsets[list + 1] - offsets[list]); };
  const auto shared = [&](std::size_t list) { return context.num_threads > 1 && length(list) >= kLongList; };
  const auto given = [&](std::size_t list) { return rule.given == nullptr ? nullptr : rule.given + 2 * list; };
  FirstBad bad;
  for_each_list(offsets, 1.0, context, [&](std::size_t list) {
    if (shared(list)) return;
    const std::int64_t begin = offsets[list];
    if (!affine_list(kernels, rule, given(list), scores + begin, length(list), out + begin)) bad.report(list);
  });
  for (std::size_t list = 0; list + 1 < offsets.size(); ++list) {
    const std::int64_t begin = offsets[list];
    if (shared(list) && !share_list(kernels, rule, given(list), scores + begin, length(list), out + begin, context)) bad.report(list);
  }
  return bad.get();
}

template std::int64_t affine_lists(const KernelTable&, const float*, Offsets, const AffineRule&, float*, const CallContext&);
template std::int64_t affine_lists(const KernelTable&, const double*, Offsets, const AffineRule&, double*, const CallContext&);

}  // namespace fastcal
