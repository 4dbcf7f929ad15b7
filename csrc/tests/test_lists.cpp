// test_lists.cpp -- normalisation: every table gives the same bytes, and the bytes of the definition.
#include "core/lists.h"

#include <algorithm>
#include <limits>

#include "reference.h"
#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

constexpr std::int64_t kLong = 10'000;  // more than two moment blocks

template <typename T>
std::vector<T> lists(std::mt19937& random, std::vector<std::int64_t>& offsets) {
  std::vector<T> values;
  std::normal_distribution<double> normal(3.0, 2.0);
  offsets = {0};
  for (const std::int64_t length : {std::int64_t{0}, std::int64_t{1}, std::int64_t{5}, std::int64_t{16}, std::int64_t{33}, kLong}) {
    for (std::int64_t i = 0; i < length; ++i)
      values.push_back(i % 11 == 10 ? std::numeric_limits<T>::quiet_NaN() : static_cast<T>(normal(random)));
    offsets.push_back(static_cast<std::int64_t>(values.size()));
  }
  return values;
}

template <typename T>
void check_zscore(const KernelTable& table, std::mt19937& random) {
  std::vector<std::int64_t> offsets;
  const std::vector<T> values = lists<T>(random, offsets);
  std::vector<T> out(values.size());
  Uninterrupted call;
  CHECK(zscore<T>(table, values.data(), offsets, 1, out.data(), call.with(3)) == -1);
  const std::size_t begin = values.size() - static_cast<std::size_t>(kLong);
  double total = 0, squares = 0, count = 0;
  const auto block_sum = [&](std::size_t from, const auto& term) {
    return lane_sum(std::min(kMomentBlock, values.size() - from), [&](std::size_t i) {
      const T v = values[from + i];
      return v == v ? term(static_cast<double>(v)) : 0.0;
    });
  };
  for (std::size_t i = begin; i < values.size(); ++i) count += values[i] == values[i];
  for (std::size_t from = begin; from < values.size(); from += kMomentBlock) total += block_sum(from, [](double v) { return v; });
  const double mean = total / count;
  for (std::size_t from = begin; from < values.size(); from += kMomentBlock)
    squares += block_sum(from, [mean](double v) { return (v - mean) * (v - mean); });
  const double std = std::sqrt(squares / (count - 1));
  for (std::size_t i = begin; i < values.size(); ++i) {
    const T expected = static_cast<T>((static_cast<double>(values[i]) - mean) / std) + T{0};
    CHECK(values[i] == values[i] ? bits(out[i]) == bits(expected) : out[i] != out[i]);
  }
}

template <typename T>
void check_minmax(const KernelTable& table, std::mt19937& random) {
  std::vector<std::int64_t> offsets;
  std::vector<T> values = lists<T>(random, offsets);
  std::vector<T> out(values.size());
  Uninterrupted call;
  CHECK(minmax<T>(table, values.data(), offsets, 0.5, out.data(), call.with(2)) == -1);
  CHECK(out[0] == T{0.5});  // the list of one
  for (std::size_t list = 2; list + 1 < offsets.size(); ++list) {
    const auto first = out.begin() + offsets[list], last = out.begin() + offsets[list + 1];
    CHECK(std::count(first, last, T{0}) >= 1 && std::count(first, last, T{1}) >= 1);
    CHECK(std::none_of(first, last, [](T v) { return v < T{0} || v > T{1}; }));
  }
  const std::vector<std::int64_t> one{0, 3};
  const T largest = std::numeric_limits<T>::max();
  const T extremes[] = {-largest, T{0}, largest};
  CHECK(minmax<T>(table, extremes, one, 0.0, out.data(), call.with(1)) == -1);
  CHECK(out[0] == T{0} && out[1] == T{0.5} && out[2] == T{1});
  const T infinite[] = {T{0}, std::numeric_limits<T>::infinity(), T{1}};
  CHECK(minmax<T>(table, infinite, one, 0.0, out.data(), call.with(1)) == 0);
  CHECK(zscore<T>(table, infinite, one, 0, out.data(), call.with(1)) == 0);
}

}  // namespace

int main() {
  for (const KernelTable* table : supported_tables()) {
    std::mt19937 random(5);
    check_zscore<float>(*table, random);
    check_zscore<double>(*table, random);
    check_minmax<float>(*table, random);
    check_minmax<double>(*table, random);
  }
  return finish();
}
