// list_order.cpp -- the order of every list, best first, and the ranks in it.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/check.h"
#include "core/lists.h"
#include "core/search_plan.h"
#include "core/sort.h"

namespace fastcal {
namespace {

constexpr std::size_t kRadixFrom = 512;  // shorter lists are sorted by comparison: the radix tables would cost more

// Writes the positions of the numbers in `values` in order, then those of the NaN; returns how many are numbers.
template <typename T>
std::size_t order_list(const T* values, std::size_t n, Order order, std::int64_t* out, StopToken& stop) {
  std::size_t numbers = 0;
  for (std::size_t i = 0; i < n; ++i)
    if (values[i] == values[i]) out[numbers++] = static_cast<std::int64_t>(i);
  std::size_t end = numbers;
  for (std::size_t i = 0; i < n && end < n; ++i)
    if (values[i] != values[i]) out[end++] = static_cast<std::int64_t>(i);
  if (numbers < kRadixFrom) {
    const bool down = order == Order::descending;
    std::stable_sort(out, out + numbers,
                     [values, down](std::int64_t a, std::int64_t b) { return down ? values[a] > values[b] : values[a] < values[b]; });
    return numbers;
  }
  std::vector<T> kept(numbers);
  for (std::size_t i = 0; i < numbers; ++i) kept[i] = values[out[i]];
  const std::vector<std::uint32_t> sorted = stable_order(kept.data(), numbers, order, stop);
  const std::vector<std::int64_t> positions(out, out + numbers);
  for (std::size_t i = 0; i < numbers; ++i) out[i] = positions[sorted[i]];
  return numbers;
}

void refuse_giants(Offsets offsets) {
  for (std::size_t list = 0; list + 1 < offsets.size(); ++list)
    FASTCAL_CHECK(offsets[list + 1] - offsets[list] < std::int64_t{1} << 32, "scores: a list to be ordered has fewer than 2^32 entries");
}

// `out` may be `values`: a group of ties is read before any of it is written.
template <typename T>
bool rank_list(const T* values, std::size_t n, const RankRule& rule, std::size_t list, T* out, StopToken& stop) {
  std::vector<std::int64_t> order(n);
  const std::size_t numbers = order_list(values, n, rule.higher_is_better ? Order::descending : Order::ascending, order.data(), stop);
  if (numbers > 0 && (std::isinf(values[order[0]]) || std::isinf(values[order[numbers - 1]]))) return false;
  const auto pool = static_cast<double>(rule.pool == nullptr ? static_cast<std::int64_t>(numbers) : rule.pool[list]);
  for (std::size_t first = 0, end = 0; first < numbers; first = end) {
    end = first + 1;
    if (rule.ties != Ties::ordinal)
      while (end < numbers && values[order[end]] == values[order[first]]) ++end;
    const double later = rule.ties == Ties::average ? static_cast<double>(end - first - 1) * 0.5 : 0.0;
    const T value = static_cast<T>(1.0 - (static_cast<double>(first) + later) / pool);
    for (std::size_t i = first; i < end; ++i) out[order[i]] = value;
  }
  for (std::size_t i = numbers; i < n; ++i) out[order[i]] = values[order[i]];
  return true;
}

constexpr double kNanosecondsEach = 20.0;

}  // namespace

template <typename T>
void order_lists(const T* scores, Offsets offsets, std::int64_t* out, const CallContext& context) {
  refuse_giants(offsets);
  for_each_list(offsets, kNanosecondsEach, context, [&](std::size_t list) {
    const std::int64_t begin = offsets[list], end = offsets[list + 1];
    order_list(scores + begin, static_cast<std::size_t>(end - begin), Order::descending, out + begin, context.stop);
    for (std::int64_t i = begin; i < end; ++i) out[i] += begin;
  });
}

template <typename T>
std::int64_t rank_lists(const T* scores, Offsets offsets, const RankRule& rule, T* out, const CallContext& context) {
  refuse_giants(offsets);
  FirstBad bad;
  for_each_list(offsets, kNanosecondsEach, context, [&](std::size_t list) {
    const std::int64_t begin = offsets[list];
    const auto n = static_cast<std::size_t>(offsets[list + 1] - begin);
    if (!rank_list(scores + begin, n, rule, list, out + begin, context.stop)) bad.report(list);
  });
  return bad.get();
}

template std::int64_t rank_lists(const float*, Offsets, const RankRule&, float*, const CallContext&);
template std::int64_t rank_lists(const double*, Offsets, const RankRule&, double*, const CallContext&);
template void order_lists(const float*, Offsets, std::int64_t*, const CallContext&);
template void order_lists(const double*, Offsets, std::int64_t*, const CallContext&);

}  // namespace fastcal
