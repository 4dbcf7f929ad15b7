// test_bounded_scan.cpp -- float32 bounds hold for every row, are close for ordinary ones, and the search built on them is exact.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/bounded_scan.h"
#include "core/search.h"
#include "reference.h"
#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::size_t kKinds = 12;

// Where float32 sums go wrong: cancellation, overflow, underflow, both in one row, near-ties. Rows of kind 0 are ordinary.
std::vector<float> awkward_rows(std::mt19937& random, std::size_t n, std::size_t dim) {
  std::vector<float> rows = random_vectors(random, n * dim);
  for (std::size_t r = 1; r < n; ++r) {
    float* row = &rows[r * dim];
    const std::size_t other = random() % r;
    const float scale = std::pow(10.0f, static_cast<float>(random() % 76) - 38.0f);
    for (std::size_t i = 0; i < dim; ++i) {
      const float before = rows[other * dim + i];
      const float values[kKinds] = {row[i],
                                    0.0f,
                                    row[i] * scale,
                                    row[i] * 1e-41f,
                                    row[i] * 1e-15f / std::sqrt(static_cast<float>(dim)),
                                    row[i] * 1e18f / std::sqrt(static_cast<float>(dim)),
                                    row[i] < 0 ? -3e38f : 3e38f,
                                    i == r % dim ? 1e19f : row[i] * 1e-19f,
                                    before,
                                    std::nextafter(before, before > 0 ? 0.0f : kInfinity),
                                    i % 2 == 0 ? 1e6f : -1e6f + row[i],
                                    100.0f + 1e-3f * row[i]};
      row[i] = values[r % kKinds];
    }
  }
  return rows;
}

std::vector<const float*> addresses(const std::vector<float>& rows, std::size_t dim) {
  std::vector<const float*> result;
  for (std::size_t i = 0; i < rows.size(); i += dim) result.push_back(&rows[i]);
  return result;
}

float key_of(Metric metric, const float* query, const float* row, std::size_t dim) {
  const float value = score(metric, query, row, dim);
  return metric == Metric::euclidean ? -value : value;
}

void check_bounds(const KernelTable& table, std::size_t dim, std::mt19937& random) {
  const std::vector<float> rows = awkward_rows(random, kMaxRowBlock, dim), values = awkward_rows(random, 2 * kKinds, dim);
  const auto pointers = addresses(rows, dim);
  for (const float* value : addresses(values, dim)) {
    const Queries query(table, value, 1, dim);
    for (const Metric metric : kAllMetrics)
      for (const std::size_t n : {std::size_t{1}, std::size_t{7}, kMaxRowBlock}) {
        float lower[kMaxRowBlock], upper[kMaxRowBlock];
        table.bound_keys[static_cast<int>(metric)](query.block(0, 1), {pointers.data(), nullptr, n}, lower, upper);
        for (std::size_t r = 0; r < n; ++r) {
          const float key = key_of(metric, value, pointers[r], dim);
          CHECK(lower[r] <= key && key <= upper[r]);
        }
      }
  }
}

// Bounds that were always infinite would pass every other test.
void check_bounds_are_close(const KernelTable& table, std::mt19937& random) {
  constexpr std::size_t kDim = 384;
  const std::vector<float> rows = random_vectors(random, kMaxRowBlock * kDim), value = random_vectors(random, kDim);
  const auto pointers = addresses(rows, kDim);
  const Queries query(table, value.data(), 1, kDim);
  for (const Metric metric : kAllMetrics) {
    float lower[kMaxRowBlock], upper[kMaxRowBlock];
    table.bound_keys[static_cast<int>(metric)](query.block(0, 1), {pointers.data(), nullptr, kMaxRowBlock}, lower, upper);
    const float scale = metric == Metric::dot ? 2.0f * kDim : (metric == Metric::cosine ? 1.0f : 60.0f);
    for (std::size_t r = 0; r < kMaxRowBlock; ++r) CHECK(upper[r] - lower[r] <= 2e-5f * scale);
  }
}

void check_rows_that_are_not_finite(const KernelTable& table, std::size_t dim, std::mt19937& random) {
  std::vector<float> rows = random_vectors(random, 6 * dim), value = random_vectors(random, dim);
  const float bad[] = {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()};
  for (std::size_t r = 0; r < 6; ++r) rows[r * dim + (r < 3 ? 0 : dim - 1)] = bad[r % 3];
  const auto pointers = addresses(rows, dim);
  for (const float first : {value[0], 0.0f}) {
    value[0] = first;
    const Queries query(table, value.data(), 1, dim);
    for (const Metric metric : kAllMetrics) {
      float lower[6], upper[6];
      table.bound_keys[static_cast<int>(metric)](query.block(0, 1), {pointers.data(), nullptr, 6}, lower, upper);
      for (std::size_t r = 0; r < 6; ++r) CHECK(lower[r] == -kInfinity && upper[r] == kInfinity);
    }
  }
}

// The searcher itself, whatever topk() would choose; `ordinary` rows leave few candidates, awkward ones many.
void check_search(const KernelTable& table, std::size_t n_rows, std::size_t dim, bool ordinary, std::mt19937& random) {
  const std::vector<float> rows = ordinary ? random_vectors(random, n_rows * dim) : awkward_rows(random, n_rows, dim);
  std::vector<float> values = random_vectors(random, 3 * dim);
  std::copy_n(&rows[8 % n_rows * dim], dim, values.begin());
  const Corpus corpus{reinterpret_cast<const std::byte*>(rows.data()), static_cast<std::ptrdiff_t>(dim * sizeof(float)), n_rows, dim,
                      Element::float32};
  const Queries queries(table, values.data(), 3, dim);
  for (const Metric metric : kAllMetrics)
    for (const std::size_t k : {std::size_t{1}, std::size_t{10}, n_rows})
      for (const int threads : {1, 3}) {
        Uninterrupted call;
        const CallContext context = call.with(threads);
        BoundedScan scan(table, corpus, nullptr, metric, nullptr, context);
        auto found = scan.run(queries.block(0, 3), {}, std::vector<TopK>(3, TopK(k)));
        CHECK(found && scan.bad() == -1);
        for (std::size_t q = 0; found && q < 3; ++q) {
          std::vector<Hit> truth;
          for (std::size_t r = 0; r < n_rows; ++r)
            truth.push_back({key_of(metric, &values[q * dim], &rows[r * dim], dim), static_cast<std::int64_t>(r)});
          std::sort(truth.begin(), truth.end(), better);
          truth.resize(std::min(k, n_rows));
          const std::vector<Hit>& hits = (*found)[q].sorted();
          CHECK(std::equal(hits.begin(), hits.end(), truth.begin(), truth.end(),
                           [](const Hit& a, const Hit& b) { return a.key == b.key && a.id == b.id; }));
        }
      }
}

}  // namespace

int main() {
  for (const KernelTable* table : supported_tables()) {
    std::mt19937 random(17);
    for (const std::size_t dim : kSizes) {
      check_bounds(*table, dim, random);
      check_rows_that_are_not_finite(*table, dim, random);
    }
    check_bounds(*table, 8192, random);
    check_bounds_are_close(*table, random);
    check_search(*table, 200, 33, false, random);
    check_search(*table, 3000, 96, true, random);
    check_search(*table, 3000, 96, false, random);
  }
  return finish();
}
