// test_lists.cpp -- normalisation: every table gives the same bytes, and the bytes of the definition.
#include "core/lists.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

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

AffineRule rule_of(AffineKind kind, double on_constant = 0.0) {
  return {kind, true, 1, 3.0, 0.0, 0.0, on_constant, -std::numeric_limits<double>::infinity(), nullptr};
}

template <typename T>
std::int64_t normalise(const KernelTable& table, const AffineRule& rule, std::span<const T> values, Offsets offsets, std::vector<T>& out,
                       int num_threads) {
  Uninterrupted call;
  return affine_lists<T>(table, values.data(), offsets, rule, out.data(), call.with(num_threads));
}

template <typename T>
T mapped(T value, double centre, double scale) {
  const double from = static_cast<double>(value) - centre;
  return static_cast<T>(sizeof(T) == sizeof(float) ? from * (1.0 / scale) : from / scale) + T{0};
}

// The last list, three blocks long: each block about its first number, merged in order.
template <typename T>
void check_zscore(const KernelTable& table, std::mt19937& random) {
  std::vector<std::int64_t> offsets;
  const std::vector<T> values = lists<T>(random, offsets);
  std::vector<T> out(values.size());
  CHECK(normalise<T>(table, rule_of(AffineKind::zscore), values, offsets, out, 3) == -1);
  const std::size_t begin = values.size() - static_cast<std::size_t>(kLong);
  double mean = 0, squares = 0, count = 0;
  for (std::size_t from = begin; from < values.size(); from += kMomentBlock) {
    const std::size_t n = std::min(kMomentBlock, values.size() - from);
    const auto shift =
        static_cast<double>(*std::find_if(values.begin() + static_cast<std::ptrdiff_t>(from), values.end(), [](T v) { return v == v; }));
    const auto sum = [&](const auto& term) {
      return lane_sum(n, [&](std::size_t i) {
        return values[from + i] == values[from + i] ? term(static_cast<double>(values[from + i]) - shift) : 0.0;
      });
    };
    double numbers = 0;
    for (std::size_t i = 0; i < n; ++i) numbers += values[from + i] == values[from + i];
    const double total = sum([](double d) { return d; }), block_squares = sum([](double d) { return d * d; }) - total * total / numbers;
    const double delta = shift + total / numbers - mean, share = numbers / (count + numbers);
    squares = from == begin ? block_squares : squares + block_squares + delta * delta * (count * share);
    mean = from == begin ? shift + total / numbers : mean + delta * share;
    count += numbers;
  }
  for (std::size_t i = begin; i < values.size(); ++i) {
    const T expected = mapped(values[i], mean, std::sqrt(squares / (count - 1)));
    CHECK(values[i] == values[i] ? bits(out[i]) == bits(expected) : out[i] != out[i]);
  }
}

template <typename T>
void check_minmax(const KernelTable& table, std::mt19937& random) {
  std::vector<std::int64_t> offsets;
  std::vector<T> values = lists<T>(random, offsets);
  std::vector<T> out(values.size());
  CHECK(normalise<T>(table, rule_of(AffineKind::minmax, 0.5), values, offsets, out, 2) == -1);
  CHECK(out[0] == T{0.5});  // the list of one
  for (std::size_t list = 2; list + 1 < offsets.size(); ++list) {
    const auto first = out.begin() + offsets[list], last = out.begin() + offsets[list + 1];
    CHECK(std::count(first, last, T{0}) >= 1 && std::count(first, last, T{1}) >= 1);
    CHECK(std::none_of(first, last, [](T v) { return v < T{0} || v > T{1}; }));
  }
  const std::vector<std::int64_t> one{0, 3};
  const T largest = std::numeric_limits<T>::max();
  const std::vector<T> extremes{-largest, T{0}, largest}, infinite{T{0}, std::numeric_limits<T>::infinity(), T{1}};
  CHECK(normalise<T>(table, rule_of(AffineKind::minmax), extremes, one, out, 1) == -1);
  CHECK(out[0] == T{0} && out[1] == T{0.5} && out[2] == T{1});
  for (const AffineKind kind : {AffineKind::minmax, AffineKind::zscore, AffineKind::l2})
    CHECK(normalise<T>(table, rule_of(kind), infinite, one, out, 1) == 0);
}

// A list that threads share has the bytes it has on one thread.
template <typename T>
void check_long_list(const KernelTable& table, std::mt19937& random) {
  std::normal_distribution<double> normal;
  std::vector<T> values(300'001);
  for (T& v : values) v = static_cast<T>(normal(random));
  const std::vector<std::int64_t> offsets{0, 3, 300'001};
  std::vector<T> alone(values.size()), shared(values.size());
  for (const AffineKind kind : {AffineKind::minmax, AffineKind::sum, AffineKind::l2, AffineKind::dbsf}) {
    CHECK(normalise<T>(table, rule_of(kind), values, offsets, alone, 1) == -1);
    CHECK(normalise<T>(table, rule_of(kind), values, offsets, shared, 4) == -1);
    CHECK(alone == shared);
  }
}

template <typename T>
void check_order(std::mt19937& random) {
  std::vector<std::int64_t> offsets;
  std::vector<T> values = lists<T>(random, offsets);
  for (T& v : values) v = static_cast<T>(std::round(v));  // ties
  std::vector<std::int64_t> order(values.size());
  Uninterrupted call;
  order_lists<T>(values.data(), offsets, order.data(), call.with(2));
  for (std::size_t list = 0; list + 1 < offsets.size(); ++list) {
    for (std::int64_t r = offsets[list] + 1; r < offsets[list + 1]; ++r) {
      const std::int64_t before = order[static_cast<std::size_t>(r - 1)], after = order[static_cast<std::size_t>(r)];
      const T a = values[static_cast<std::size_t>(before)], b = values[static_cast<std::size_t>(after)];
      const bool tie = a == b || (a != a && b != b);
      CHECK(tie ? before < after : a > b || b != b);
    }
  }
}

// The ranks of two lists in place: ties share the mean of their places.
template <typename T>
void check_ranks() {
  std::vector<T> values{2, 1, 2, std::numeric_limits<T>::quiet_NaN(), 7};
  const std::vector<std::int64_t> offsets{0, 4, 5}, pool{4, 2};
  Uninterrupted call;
  CHECK(rank_lists<T>(values.data(), offsets, {true, Ties::average, pool.data()}, values.data(), call.with(2)) == -1);
  CHECK(values[0] == T{0.875} && values[1] == T{0.5} && values[2] == T{0.875} && values[3] != values[3] && values[4] == T{1});
  values[4] = -std::numeric_limits<T>::infinity();
  CHECK(rank_lists<T>(values.data(), offsets, {false, Ties::ordinal, nullptr}, values.data(), call.with(1)) == 1);
}

}  // namespace

int main() {
  for (const KernelTable* table : supported_tables()) {
    std::mt19937 random(5);
    check_zscore<float>(*table, random);
    check_zscore<double>(*table, random);
    check_minmax<float>(*table, random);
    check_minmax<double>(*table, random);
    check_long_list<float>(*table, random);
    check_long_list<double>(*table, random);
  }
  std::mt19937 random(6);
  check_order<float>(random);
  check_order<double>(random);
  check_ranks<float>();
  check_ranks<double>();
  return finish();
}
