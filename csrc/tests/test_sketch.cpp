// test_sketch.cpp -- the bound is a bound, and the cascade built on it is exact.
//
// The invariant, for every row, stage, metric and table: a limit derived from a row's own key never drops that row.
#include "core/sketch.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <thread>

#include "core/rotation.h"
#include "core/search.h"
#include "reference.h"
#include "rows.h"
#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

void check_bound(const Sketch& sketch, ScanSketch scan, const std::uint8_t* records, const std::vector<float>& rows,
                 const std::vector<float>& queries, std::size_t dim) {
  const std::size_t n_queries = queries.size() / dim, n_rows = rows.size() / dim, stride = sketch.n_blocks() * kSketchRows;
  std::vector<PreparedQuery> prepared;
  std::vector<SketchQuery> views;
  for (std::size_t q = 0; q < n_queries; ++q) prepared.emplace_back(sketch.frame(), &queries[q * dim]);
  for (const PreparedQuery& query : prepared) views.push_back(query.view());
  std::vector<Survivor> survivors(views.size() * stride);
  std::vector<std::uint32_t> counts(views.size());
  const std::vector<float> limits(views.size(), -kInfinity);
  scan(views.data(), views.size(), records, sketch.n_blocks(), sketch.layout(), limits.data(), survivors.data(), stride, counts.data());
  for (std::size_t q = 0; q < views.size(); ++q) {
    CHECK(counts[q] >= n_rows);
    for (std::size_t i = 0; i < counts[q]; ++i) {
      const Survivor& survivor = survivors[q * stride + i];
      if (survivor.row >= n_rows) continue;
      const float value = score(sketch.metric(), &queries[q * dim], &rows[survivor.row * dim], dim);
      const float key = sketch.metric() == Metric::euclidean ? -value : value;
      CHECK(!(survivor.goodness <= prepared[q].limit(key)));
    }
  }
}

// Edges that nothing is known to reach or to miss make every row a straddler, which shows both of its bounds.
void check_two_bounds(const Sketch& sketch, BandSketch band, const std::vector<float>& rows, const std::vector<float>& queries,
                      std::size_t dim) {
  const std::size_t n_queries = queries.size() / dim, n_rows = rows.size() / dim, stride = sketch.n_blocks() * kSketchRows;
  std::vector<PreparedQuery> prepared;
  std::vector<SketchQuery> views;
  for (std::size_t q = 0; q < n_queries; ++q) prepared.emplace_back(sketch.frame(), &queries[q * dim]);
  for (const PreparedQuery& query : prepared) views.push_back(query.view());
  const float limit = -kInfinity, floor = kInfinity;
  const std::vector<SketchEdges> edges(n_queries, {&limit, &floor, 1});
  std::vector<std::uint8_t> bands(n_queries * stride);
  std::vector<Straddler> straddlers(n_queries * stride);
  std::vector<std::uint32_t> counts(n_queries);
  band(views.data(), edges.data(), n_queries, sketch.records7(), sketch.n_blocks(), sketch.layout(), bands.data(), straddlers.data(),
       stride, counts.data());
  for (std::size_t q = 0; q < n_queries; ++q) {
    CHECK(counts[q] >= n_rows);
    for (std::size_t r = 0; r < n_rows; ++r) {
      const Straddler& bounds = straddlers[q * stride + r];
      const float value = score(sketch.metric(), &queries[q * dim], &rows[r * dim], dim);
      const float key = sketch.metric() == Metric::euclidean ? -value : value;
      CHECK(bounds.row == r && bands[q * stride + r] == kStraddles);
      CHECK(!(bounds.upper <= prepared[q].limit(key)));
      CHECK(!(prepared[q].floor(std::nextafter(key, kInfinity)) <= bounds.lower));
      CHECK(!(bounds.lower > bounds.upper));
    }
  }
}

void check_cascade(const KernelTable& table, const Sketch& sketch, const std::vector<float>& rows, const std::vector<float>& queries,
                   std::size_t dim) {
  const std::size_t n_queries = queries.size() / dim;
  for (const std::size_t k : {std::size_t{1}, std::size_t{7}, std::size_t{100}}) {
    std::vector<float> expected(n_queries * k), found(n_queries * k);
    std::vector<std::int64_t> expected_ids(n_queries * k), found_ids(n_queries * k);
    Uninterrupted call;
    CHECK(topk({table, {queries.data(), n_queries}, view(rows, dim), sketch.metric()}, {expected.data(), expected_ids.data(), k, k, k},
               call.with(1)) == -1);
    for (const int threads : {1, 3}) {
      for (const std::size_t together : {std::size_t{1}, n_queries}) {
        for (std::size_t q = 0; q < n_queries; q += together)
          CHECK(topk({table, {&queries[q * dim], together}, view(rows, dim), sketch.metric(), nullptr, nullptr, &sketch},
                     {&found[q * k], &found_ids[q * k], k, k, k}, call.with(threads)) == -1);
        CHECK(found_ids == expected_ids);
        CHECK(std::equal(found.begin(), found.end(), expected.begin(), [](float a, float b) { return bits(a) == bits(b); }));
      }
    }
  }
}

void check_all(const KernelTable& table, std::size_t n_rows, std::size_t dim, std::mt19937& random) {
  const std::vector<float> rows = adversarial_rows(random, n_rows, dim);
  std::vector<float> queries = random_vectors(random, 10 * dim);
  std::copy_n(&rows[7 * dim], dim, &queries[0]);  // equal to a row
  std::copy_n(&rows[std::min<std::size_t>(10, n_rows - 1) * dim], dim, &queries[dim]);
  for (std::size_t i = 0; i < dim; ++i) queries[2 * dim + i] = i == 0 ? 2.0f : 0.0f;
  for (std::size_t i = 0; i < dim; ++i) queries[3 * dim + i] = 0.25f;
  for (std::size_t i = 0; i < dim; ++i) queries[4 * dim + i] *= 1e-12f;
  for (std::size_t i = 0; i < dim; ++i) queries[5 * dim + i] = 0.0f;
  for (std::size_t i = 0; i < dim; ++i) queries[6 * dim + i] *= 1e25f;
  for (const Metric metric : kAllMetrics) {
    Uninterrupted call;
    const Sketch sketch = sketched(table, view(rows, dim), metric, call.with(2));
    const int m = static_cast<int>(metric);
    check_bound(sketch, table.scan4[m], sketch.records4(), rows, queries, dim);
    check_bound(sketch, table.scan7[m], sketch.records7(), rows, queries, dim);
    check_two_bounds(sketch, table.band7[m], rows, queries, dim);
    check_cascade(table, sketch, rows, queries, dim);
  }
}

// Callers share one sketch; each gets what it would get alone.
void check_concurrent_callers(const KernelTable& table, std::mt19937& random) {
  constexpr std::size_t kDim = 40, kRows = 5000, kBest = 9;
  const std::vector<float> rows = random_vectors(random, kRows * kDim);
  Uninterrupted build;
  const Sketch sketch = sketched(table, view(rows, kDim), Metric::cosine, build.with(2));
  std::vector<std::vector<float>> queries;
  for (int c = 0; c < 8; ++c) queries.push_back(random_vectors(random, kDim));
  std::vector<int> wrong(queries.size());
  const auto search = [&](std::size_t c, const Sketch* through, int threads) {
    std::vector<float> scores(kBest);
    std::vector<std::int64_t> ids(kBest);
    Uninterrupted call;
    topk({table, {queries[c].data(), 1}, view(rows, kDim), Metric::cosine, nullptr, nullptr, through},
         {scores.data(), ids.data(), kBest, kBest, kBest}, call.with(threads));
    return ids;
  };
  std::vector<std::thread> callers;
  for (std::size_t c = 0; c < queries.size(); ++c)
    callers.emplace_back([&, c] {
      const auto expected = search(c, nullptr, 1);
      for (int repeat = 0; repeat < 20; ++repeat) wrong[c] += search(c, &sketch, 1 + repeat % 3) != expected;
    });
  for (std::thread& caller : callers) caller.join();
  for (const int count : wrong) CHECK(count == 0);
}

// A row rewritten behind the sketch's back scores outside its own bounds.
void check_changed_row(const KernelTable& table, std::mt19937& random) {
  constexpr std::size_t kDim = 32, kRows = 3000;
  std::vector<float> rows = random_vectors(random, kRows * kDim);
  const std::vector<float> query(rows.begin() + 40 * kDim, rows.begin() + 41 * kDim);
  Uninterrupted call;
  const Sketch sketch = sketched(table, view(rows, kDim), Metric::cosine, call.with(1));
  for (std::size_t i = 0; i < kDim; ++i) rows[40 * kDim + i] = -rows[40 * kDim + i];
  float score = 0;
  std::int64_t id = 0;
  const std::int64_t bad =
      topk({table, {query.data(), 1}, view(rows, kDim), Metric::cosine, nullptr, nullptr, &sketch}, {&score, &id, 1, 1, 1}, call.with(1));
  CHECK(bad == 40);
  rows[40 * kDim] = std::numeric_limits<float>::quiet_NaN();
  CHECK(topk({table, {query.data(), 1}, view(rows, kDim), Metric::cosine, nullptr, nullptr, &sketch}, {&score, &id, 1, 1, 1},
             call.with(1)) == 40);
}

// The rotation keeps inner products, and spreads a unit vector over 8 x 8 coordinates where there is room.
void check_rotation(std::mt19937& random) {
  for (const std::size_t dim : {1u, 15u, 16u, 31u, 32u, 63u, 100u, 128u, 129u, 384u, 400u, 1536u}) {
    const std::vector<float> signs = rotation_signs(dim), pair = random_vectors(random, 2 * dim);
    std::vector<double> a(pair.begin(), pair.begin() + static_cast<std::ptrdiff_t>(dim)),
        b(pair.begin() + static_cast<std::ptrdiff_t>(dim), pair.end());
    const auto product = [&] { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); };
    const double before = product();
    rotate(a, signs);
    rotate(b, signs);
    CHECK(std::abs(product() - before) < 1e-12 * static_cast<double>(dim));
    std::vector<double> unit(dim);
    unit[dim / 3] = 1.0;
    rotate(unit, signs);
    const double largest =
        std::abs(*std::max_element(unit.begin(), unit.end(), [](double x, double y) { return std::abs(x) < std::abs(y); }));
    CHECK(dim < 1024 || largest <= 0.1251);
    std::vector<double> last(dim);
    last[dim - 1] = 1.0;
    rotate(last, signs);
    CHECK(dim < 128 || *std::max_element(last.begin(), last.end()) <= 0.36);
  }
}

// Rows with two outlier dimensions keep a small residual: .12 on average, .41 without the rotation.
void check_outlier_dimensions(const KernelTable& table, std::mt19937& random) {
  constexpr std::size_t kDim = 768, kRows = 320;
  std::vector<float> rows = random_vectors(random, kRows * kDim);
  for (std::size_t r = 0; r < kRows; ++r) {
    rows[r * kDim + 5] *= 20.0f;
    rows[r * kDim + 6] *= 10.0f;
  }
  Uninterrupted call;
  const Sketch sketch = sketched(table, view(rows, kDim), Metric::cosine, call.with(1));
  double total = 0;
  for (std::size_t block = 0; block < sketch.n_blocks(); ++block) {
    const auto* facts =
        reinterpret_cast<const float*>(sketch.records4() + block * sketch.layout().record4() + sketch.layout().code_bytes4());
    total += std::accumulate(facts + 2 * kSketchRows, facts + 3 * kSketchRows, 0.0);
  }
  CHECK(total / static_cast<double>(kRows) < 0.15);
}

}  // namespace

int main() {
  std::mt19937 numbers(17);
  check_rotation(numbers);
  for (const KernelTable* table : supported_tables()) {
    std::mt19937 random(13);
    for (const std::size_t dim : {1u, 2u, 3u, 7u, 8u, 9u, 16u, 33u, 97u, 384u}) check_all(*table, 300, dim, random);
    check_all(*table, 13, 24, random);
    check_all(*table, 2500, 48, random);
    check_outlier_dimensions(*table, random);
    check_changed_row(*table, random);
    check_concurrent_callers(*table, random);
  }
  return finish();
}
