// test_search.cpp -- top-k, full matrices and rescoring against brute force: every element type, thread count and layout.
#include "core/search.h"

#include <algorithm>
#include <thread>

#include "core/hits.h"
#include "reference.h"
#include "rows.h"
#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

struct Found {
  std::vector<float> scores;
  std::vector<std::int64_t> ids;
  bool operator==(const Found& other) const {
    return ids == other.ids && std::equal(scores.begin(), scores.end(), other.scores.begin(), other.scores.end(),
                                          [](float a, float b) { return bits(a) == bits(b); });
  }
};

Found brute_force(const std::vector<float>& queries, const std::vector<float>& rows, std::size_t dim, std::size_t k, Metric metric) {
  Found found;
  const std::size_t n_rows = rows.size() / dim;
  const float sign = metric == Metric::euclidean ? -1.0f : 1.0f;
  for (std::size_t q = 0; q < queries.size() / dim; ++q) {
    std::vector<Hit> hits;
    for (std::size_t r = 0; r < n_rows; ++r)
      hits.push_back({sign * score(metric, &queries[q * dim], &rows[r * dim], dim), static_cast<std::int64_t>(r)});
    std::sort(hits.begin(), hits.end(), better);
    for (std::size_t i = 0; i < k; ++i) {
      found.scores.push_back(i < n_rows ? sign * hits[i].key + 0.0f : std::bit_cast<float>(0x7fc00000u));
      found.ids.push_back(i < n_rows ? hits[i].id : -1);
    }
  }
  return found;
}

Found search(const KernelTable& table, const std::vector<float>& queries, const Corpus& corpus, std::size_t k, Metric metric, int threads) {
  const std::size_t n = queries.size() / corpus.dim;
  Found found{std::vector<float>(n * k), std::vector<std::int64_t>(n * k)};
  Uninterrupted call;
  CHECK(topk({table, {queries.data(), n}, corpus, metric}, {found.scores.data(), found.ids.data(), k, k, k}, call.with(threads)) == -1);
  return found;
}

void check_topk(const KernelTable& table, std::size_t n_rows, std::size_t dim, std::mt19937& random) {
  std::vector<float> rows = random_vectors(random, n_rows * dim);
  const std::vector<float> queries = random_vectors(random, 5 * dim);
  // Duplicates make ties that only the lower id can settle.
  for (std::size_t r = 10; r < n_rows; r += 3) std::copy_n(&rows[dim * (r % 7)], dim, &rows[r * dim]);
  for (const Metric metric : kAllMetrics)
    for (const std::size_t k : {std::size_t{1}, std::size_t{10}, n_rows, n_rows + 2}) {
      const Found truth = brute_force(queries, rows, dim, k, metric);
      for (const int threads : {1, 2, 3, 8}) CHECK(search(table, queries, view(rows, dim), k, metric, threads) == truth);
    }
}

// A negative stride turns the corpus around; stride 0 repeats one row.
void check_strides(const KernelTable& table, std::mt19937& random) {
  constexpr std::size_t kDim = 19, kRows = 50;
  const std::vector<float> rows = random_vectors(random, kRows * kDim), queries = random_vectors(random, kDim);
  std::vector<float> reversed;
  for (std::size_t r = kRows; r-- > 0;) reversed.insert(reversed.end(), &rows[r * kDim], &rows[r * kDim] + kDim);
  Corpus corpus = view(rows, kDim);
  corpus.data += static_cast<std::ptrdiff_t>(kRows - 1) * corpus.row_stride;
  corpus.row_stride = -corpus.row_stride;
  CHECK(search(table, queries, corpus, 4, Metric::cosine, 2) == brute_force(queries, reversed, kDim, 4, Metric::cosine));
  corpus.row_stride = 0;
  CHECK((search(table, queries, corpus, 3, Metric::dot, 2).ids == std::vector<std::int64_t>{0, 1, 2}));
}

void check_rescore(const KernelTable& table, std::mt19937& random) {
  constexpr std::size_t kDim = 33, kRows = 500, kQueries = 3, kCandidates = 150;
  std::vector<float> rows = random_vectors(random, kRows * kDim);
  const std::vector<float> queries = random_vectors(random, kQueries * kDim);
  std::vector<std::int64_t> ids(kQueries * kCandidates);
  for (std::int64_t& id : ids) id = static_cast<std::int64_t>(random() % (kRows + 1)) - 1;
  for (const Metric metric : kAllMetrics) {
    std::vector<float> out(ids.size());
    Uninterrupted call;
    CHECK(rescore(table, {queries.data(), kQueries}, view(rows, kDim), ids.data(), kCandidates, metric, out.data(), kCandidates,
                  call.with(3)) == -1);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const float* query = &queries[i / kCandidates * kDim];
      const float truth =
          ids[i] < 0 ? std::bit_cast<float>(0x7fc00000u) : score(metric, query, &rows[static_cast<std::size_t>(ids[i]) * kDim], kDim);
      CHECK(bits(out[i]) == bits(truth));
    }
  }
  rows[7 * kDim] = rows[3 * kDim + 1] = std::numeric_limits<float>::infinity();
  const std::vector<std::int64_t> touched{9, 7, 3}, untouched{9, 8, 4};
  std::vector<float> out(3);
  Uninterrupted call;
  CHECK(rescore(table, {queries.data(), 1}, view(rows, kDim), touched.data(), 3, Metric::dot, out.data(), 3, call.with(1)) == 3);
  CHECK(rescore(table, {queries.data(), 1}, view(rows, kDim), untouched.data(), 3, Metric::dot, out.data(), 3, call.with(1)) == -1);
}

void check_first_bad_row(const KernelTable& table, std::mt19937& random) {
  constexpr std::size_t kDim = 64, kRows = 20'000;
  std::vector<float> rows = random_vectors(random, kRows * kDim);
  const std::vector<float> queries = random_vectors(random, kDim);
  rows[15'000 * kDim] = rows[7'777 * kDim + 63] = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> scores(5, 42.0f);
  std::vector<std::int64_t> ids(5, 42);
  for (const int threads : {1, 2, 8}) {
    Uninterrupted call;
    CHECK(topk({table, {queries.data(), 1}, view(rows, kDim), Metric::cosine}, {scores.data(), ids.data(), 5, 5, 5}, call.with(threads)) ==
          7'777);
  }
  CHECK(std::count(scores.begin(), scores.end(), 42.0f) == 5 && std::count(ids.begin(), ids.end(), 42) == 5);
}

// Many callers at once, each with its own queries; the pool serves one and the others run alone.
void check_concurrent_callers(const KernelTable& table, std::mt19937& random) {
  constexpr std::size_t kDim = 48, kRows = 4'000;
  const std::vector<float> rows = random_vectors(random, kRows * kDim);
  std::vector<std::thread> callers;
  std::vector<int> wrong(8);
  std::vector<std::vector<float>> queries;
  for (std::size_t c = 0; c < wrong.size(); ++c) queries.push_back(random_vectors(random, 3 * kDim));
  for (std::size_t c = 0; c < wrong.size(); ++c)
    callers.emplace_back([&, c] {
      const Found truth = brute_force(queries[c], rows, kDim, 10, Metric::dot);
      for (int repeat = 0; repeat < 5; ++repeat)
        wrong[c] += !(search(table, queries[c], view(rows, kDim), 10, Metric::dot, 1 + repeat) == truth);
    });
  for (std::thread& caller : callers) caller.join();
  for (const int count : wrong) CHECK(count == 0);
}

}  // namespace

int main() {
  for (const KernelTable* table : supported_tables()) {
    std::mt19937 random(11);
    check_topk(*table, 1, 3, random);
    check_topk(*table, 700, 16, random);
    check_topk(*table, 1500, 65, random);
    check_strides(*table, random);
    check_rescore(*table, random);
    check_first_bad_row(*table, random);
    check_concurrent_callers(*table, random);
  }
  return finish();
}
