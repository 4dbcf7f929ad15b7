// list_order.cpp -- the order of every list, best first.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/check.h"
#include "core/lists.h"
#include "core/sort.h"

namespace fastcal {
namespace {

constexpr std::size_t kRadixFrom = 512;  // shorter lists are sorted by comparison: the radix tables would cost more

// Writes the positions, counted from `begin`, of the numbers in `values`, then those of the NaN.
template <typename T>
void order_list(const T* values, std::int64_t begin, std::size_t n, std::int64_t* out, StopToken& stop) {
  std::size_t numbers = 0;
  for (std::size_t i = 0; i < n; ++i)
    if (values[i] == values[i]) out[numbers++] = static_cast<std::int64_t>(i);
  std::size_t end = numbers;
  for (std::size_t i = 0; i < n && end < n; ++i)
    if (values[i] != values[i]) out[end++] = static_cast<std::int64_t>(i);
  if (numbers < kRadixFrom) {
    std::stable_sort(out, out + numbers, [values](std::int64_t a, std::int64_t b) { return values[a] > values[b]; });
  } else {
    std::vector<T> kept(numbers);
    for (std::size_t i = 0; i < numbers; ++i) kept[i] = values[out[i]];
    const std::vector<std::uint32_t> order = stable_order(kept.data(), numbers, Order::descending, stop);
    std::vector<std::int64_t> positions(numbers);
    for (std::size_t i = 0; i < numbers; ++i) positions[i] = out[order[i]];
    std::copy(positions.begin(), positions.end(), out);
  }
  for (std::size_t i = 0; i < n; ++i) out[i] += begin;
}

}  // namespace

template <typename T>
void order_lists(const T* scores, Offsets offsets, std::int64_t* out, const CallContext& context) {
  constexpr double kNanosecondsEach = 20.0;
  for (std::size_t list = 0; list + 1 < offsets.size(); ++list)
    FASTCAL_CHECK(offsets[list + 1] - offsets[list] < std::int64_t{1} << 32, "scores: a list to be ordered has fewer than 2^32 entries");
  for_each_list(offsets, kNanosecondsEach, context, [&](std::size_t list) {
    const std::int64_t begin = offsets[list];
    order_list(scores + begin, begin, static_cast<std::size_t>(offsets[list + 1] - begin), out + begin, context.stop);
  });
}
template void order_lists(const float*, Offsets, std::int64_t*, const CallContext&);
template void order_lists(const double*, Offsets, std::int64_t*, const CallContext&);

}  // namespace fastcal
