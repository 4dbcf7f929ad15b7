// test_calibration.cpp -- fits against published values, the logistic map against long double.
#include "core/calibration.h"

#include <algorithm>
#include <cmath>

#include "core/knot_index.h"
#include "core/radix.h"
#include "core/sort.h"
#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

// Scores 5, -4, 1 with labels 1, 0, 0: the optimum of the objective of Lin, Lin & Weng (2007).
void check_platt_fit() {
  Uninterrupted call;
  const std::vector<double> scores{5, -4, 1}, targets{2.0 / 3, 0.25, 0.25}, weights{1, 1, 1};
  const PlattModel m = platt_fit(scores, targets, weights, call.stop);
  CHECK(std::fabs(m.a + 0.2026144896184756) < 1e-12);
  CHECK(std::fabs(m.b - 0.6523666389984493) < 1e-12);
  std::vector<double> huge = scores;
  for (double& s : huge) s *= 1e300;
  CHECK(std::fabs(platt_fit(huge, targets, weights, call.stop).a * 1e300 + 0.2026144896184756) < 1e-10);
}

// Weights 1..7 (scikit-learn's test of isotonic regression).
void check_isotonic_fit() {
  Uninterrupted call;
  const std::vector<double> scores{1, 2, 3, 4, 5, 6, 7}, labels{1, 41, 51, 1, 2, 5, 24}, weights{1, 2, 3, 4, 5, 6, 7};
  std::vector<double> x(7), y(7);
  const std::size_t knots = isotonic_fit(scores, labels, weights, x.data(), y.data(), call.stop);
  CHECK(knots == 4);
  CHECK(x[0] == 1 && x[1] == 2 && x[2] == 6 && x[3] == 7);
  CHECK(y[0] == 1 && std::fabs(y[1] - 13.95) < 1e-12 && y[2] == y[1] && y[3] == 24);
}

void check_logistic(const KernelTable& table) {
  std::vector<double> scores;
  for (double t = -720.0; t <= 720.0; t += 0.37) scores.push_back(t);
  std::vector<double> out(scores.size());
  table.f64.platt_predict(scores.data(), scores.size(), 1.0, 0.0, out.data());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto t = static_cast<long double>(std::clamp(scores[i], -708.0, 708.0));
    const long double truth = 1.0L / (1.0L + std::exp(t));
    CHECK(std::fabs(static_cast<long double>(out[i]) - truth) <= 4 * 0x1p-53L * truth);
  }
  const std::vector<float> edges{INFINITY, -INFINITY, NAN};
  std::vector<float> p(3);
  table.f32.platt_predict(edges.data(), 3, -2.0, 1.0, p.data());
  CHECK(p[0] == 1.0f && p[1] == 0.0f && p[2] != p[2]);
}

void check_interpolation(const KernelTable& table) {
  const std::vector<double> x{0, 1, 3}, y{0.0, 0.5, 1.0};
  const std::vector<double> scores{-1, 0, 0.5, 1, 2, 3, 9};
  std::vector<double> out(scores.size());
  table.f64.isotonic_predict(scores.data(), scores.size(), x.data(), y.data(), x.size(), out.data());
  CHECK((out == std::vector<double>{0, 0, 0.25, 0.5, 0.75, 1, 1}));
}

void check_stable_order() {
  Uninterrupted call;
  std::mt19937 random(3);
  std::vector<float> values(5000);
  for (float& v : values) v = static_cast<float>(static_cast<int>(random() % 41) - 20) * 0.5f;
  values[1] = -0.0f;
  for (const Order order : {Order::ascending, Order::descending}) {
    std::vector<std::uint32_t> expected(values.size());
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = static_cast<std::uint32_t>(i);
    std::stable_sort(expected.begin(), expected.end(), [&](std::uint32_t a, std::uint32_t b) {
      return order == Order::ascending ? values[a] < values[b] : values[a] > values[b];
    });
    CHECK(stable_order(values.data(), values.size(), order, call.stop) == expected);
  }
}

// Counts of packed pairs are those of weights of one added up in order, on any number of threads and over several pieces.
template <typename T>
void check_counts(double spread) {
  Uninterrupted call;
  std::mt19937 random(9);
  std::normal_distribution<double> normal(0.3, spread);
  const std::size_t n = 2 * kSortPiece + 1000;
  std::vector<T> scores(n);
  std::vector<std::uint8_t> labels(n);
  for (std::size_t i = 0; i < n; ++i) {
    scores[i] = static_cast<T>(i % 3 == 0 ? std::round(normal(random) * 16) / 16 : normal(random));
    labels[i] = static_cast<std::uint8_t>(random() % 2);
  }
  const std::vector<double> wide(scores.begin(), scores.end()), truth(labels.begin(), labels.end()), ones(n, 1.0);
  std::vector<double> x(n), y(n), other_x(n), other_y(n);
  const std::size_t knots = isotonic_fit(wide, truth, ones, x.data(), y.data(), call.stop);
  struct Sweep {
    explicit Sweep(std::size_t size) : threshold(size), selected(size), weight(size), positive(size) {}
    std::vector<T> threshold;
    std::vector<std::int64_t> selected;
    std::vector<double> weight, positive;
    void trim(std::size_t size) { threshold.resize(size), selected.resize(size), weight.resize(size), positive.resize(size); }
    bool operator==(const Sweep&) const = default;
  } weighted(n);
  const auto out = [](Sweep& sweep) { return SweepOutput{sweep.selected.data(), sweep.weight.data(), sweep.positive.data()}; };
  const std::span<const T> view = scores;
  const std::size_t distinct = threshold_sweep(view, labels.data(), ones.data(), weighted.threshold.data(), out(weighted), call.with(1));
  weighted.trim(distinct);
  for (const int threads : {1, 3}) {
    CHECK(isotonic_fit_labels(view, labels.data(), other_x.data(), other_y.data(), call.with(threads)) == knots);
    CHECK(std::equal(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(knots), other_x.begin()));
    CHECK(std::equal(y.begin(), y.begin() + static_cast<std::ptrdiff_t>(knots), other_y.begin()));
    Sweep counted(n);
    CHECK(threshold_sweep(view, labels.data(), nullptr, counted.threshold.data(), out(counted), call.with(threads)) == distinct);
    counted.trim(distinct);
    CHECK(counted == weighted);
  }
}

// Every score finds the last knot that is not above it, however the knots crowd into buckets.
template <typename T>
void check_positions(const ListKernels<T>& kernels) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  for (const double outlier : {1.0, 1e6, 1e300}) {
    std::vector<double> knots(333);
    for (double& knot : knots) knot = normal(random);
    knots.back() = outlier;
    std::sort(knots.begin(), knots.end());
    std::vector<T> scores{static_cast<T>(NAN), static_cast<T>(INFINITY), static_cast<T>(-INFINITY)};
    for (const double knot : knots) {
      const T near = static_cast<T>(knot);
      for (const T score : {near, std::nextafter(near, T{-1000}), std::nextafter(near, T{1000}), static_cast<T>(normal(random))})
        scores.push_back(score);
    }
    const KnotIndex<T> index(knots);
    std::vector<std::int32_t> at(scores.size());
    kernels.positions(scores.data(), scores.size(), index.table(), at.data());
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const auto above = std::upper_bound(knots.begin(), knots.end(), static_cast<double>(scores[i])) - knots.begin();
      CHECK(at[i] == (scores[i] == scores[i] ? std::max<std::ptrdiff_t>(above - 1, 0) : 0));
    }
  }
}

}  // namespace

int main() {
  check_platt_fit();
  check_isotonic_fit();
  check_stable_order();
  for (const double spread : {0.1, 50.0}) {
    check_counts<float>(spread);
    check_counts<double>(spread);
  }
  for (const KernelTable* table : supported_tables()) {
    check_logistic(*table);
    check_interpolation(*table);
    check_positions(table->f32);
    check_positions(table->f64);
  }
  return finish();
}
