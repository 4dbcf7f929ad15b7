// test_gates.cpp -- thresholds, masks and range search against brute force: scanned, sketched, quantised on the way, listed.
#include <algorithm>
#include <numeric>
#include <thread>

#include "core/search.h"
#include "reference.h"
#include "rows.h"
#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

using Lists = std::vector<std::vector<Hit>>;

bool equal(const std::vector<Hit>& a, const std::vector<Hit>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Hit& x, const Hit& y) { return bits(x.key + 0.0f) == bits(y.key + 0.0f) && x.id == y.id; });
}

// Everything that passes, best first.
Lists passing(const std::vector<float>& queries, const std::vector<float>& rows, std::size_t dim, Metric metric, const Gate& gate) {
  Lists lists;
  for (std::size_t q = 0; q < queries.size() / dim; ++q) {
    auto& hits = lists.emplace_back();
    for (std::size_t r = 0; r < rows.size() / dim; ++r) {
      const float value = score(metric, &queries[q * dim], &rows[r * dim], dim), key = metric == Metric::euclidean ? -value : value;
      const bool allowed = gate.allow == nullptr || gate.mask(q)[r] != 0;
      if (allowed && key >= gate.floor(q, metric)) hits.push_back({key, static_cast<std::int64_t>(r)});
    }
    std::sort(hits.begin(), hits.end(), better);
  }
  return lists;
}

Lists best(const SearchTask& task, std::size_t k, int threads) {
  std::vector<float> scores(task.queries.n * k);
  std::vector<std::int64_t> ids(task.queries.n * k);
  Uninterrupted call;
  CHECK(topk(task, {scores.data(), ids.data(), k, k, k}, call.with(threads)) == -1);
  Lists lists(task.queries.n);
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (ids[i] >= 0) lists[i / k].push_back({task.metric == Metric::euclidean ? -scores[i] : scores[i], ids[i]});
  return lists;
}

void check_gate(const SearchTask& task, const Lists& truth, int threads) {
  const std::size_t total =
      std::accumulate(truth.begin(), truth.end(), std::size_t{0}, [](std::size_t n, const auto& l) { return n + l.size(); });
  for (const std::size_t k : {std::size_t{3}, task.corpus.n_rows}) {
    const Lists found = best(task, k, threads);
    for (std::size_t q = 0; q < truth.size(); ++q)
      CHECK(equal(found[q], {truth[q].begin(), truth[q].begin() + static_cast<std::ptrdiff_t>(std::min(k, truth[q].size()))}));
  }
  Uninterrupted call;
  const RangeHits range = range_search(task, total, call.with(threads));
  CHECK(range.bad == -1 && range.found == total);
  for (std::size_t q = 0; q < truth.size(); ++q) CHECK(equal(range.hits[q], truth[q]));
  if (total > 0) CHECK(range_search(task, total - 1, call.with(threads)).found == total);
}

void check_gates(const KernelTable& table, std::size_t n_rows, std::size_t dim, std::size_t n_queries, std::mt19937& random) {
  const std::vector<float> rows = adversarial_rows(random, n_rows, dim);
  std::vector<float> queries = random_vectors(random, n_queries * dim);
  std::copy_n(&rows[10 * dim], dim, queries.data());
  std::vector<float> thresholds(n_queries);
  std::vector<std::uint8_t> dense(n_queries * n_rows), few(n_queries * n_rows);
  for (std::uint8_t& allowed : dense) allowed = random() % 2;
  for (std::uint8_t& allowed : few) allowed = random() % 40 == 0;
  const Corpus corpus = view(rows, dim);
  for (const Metric metric : kAllMetrics) {
    for (std::size_t q = 0; q < n_queries; ++q) thresholds[q] = score(metric, &queries[q * dim], &rows[random() % n_rows * dim], dim);
    Uninterrupted call;
    const Sketch sketch = sketched(table, corpus, metric, call.with(2));
    const Gate gates[] = {{thresholds.data(), nullptr, 0},
                          {nullptr, dense.data(), 0},
                          {thresholds.data(), dense.data(), n_rows},
                          {nullptr, few.data(), 0},
                          {thresholds.data(), few.data(), n_rows}};
    for (const Gate& gate : gates) {
      const Lists truth = passing(queries, rows, dim, metric, gate);
      for (const Sketch* through : {static_cast<const Sketch*>(nullptr), &sketch})
        for (const int threads : {1, 3})
          check_gate({table, {queries.data(), n_queries}, corpus, metric, nullptr, nullptr, through, gate}, truth, threads);
    }
  }
}

// Range searches of several callers count into budgets of their own.
void check_concurrent_ranges(const KernelTable& table, std::mt19937& random) {
  constexpr std::size_t kDim = 24, kRows = 4000;
  const std::vector<float> rows = random_vectors(random, kRows * kDim);
  const Corpus corpus = view(rows, kDim);
  Uninterrupted build;
  const Sketch sketch = sketched(table, corpus, Metric::cosine, build.with(2));
  const float threshold = 0.2f;
  std::vector<int> wrong(6);
  std::vector<std::thread> callers;
  for (std::size_t c = 0; c < wrong.size(); ++c)
    callers.emplace_back([&, c] {
      const SearchTask task{table, {&rows[c * kDim], 1}, corpus, Metric::cosine, nullptr, nullptr, &sketch, {&threshold, nullptr, 0}};
      Uninterrupted call;
      const RangeHits first = range_search(task, kRows, call.with(1));
      for (int repeat = 0; repeat < 10; ++repeat)
        wrong[c] += !equal(range_search(task, kRows, call.with(1 + repeat % 3)).hits[0], first.hits[0]);
    });
  for (std::thread& caller : callers) caller.join();
  for (const int count : wrong) CHECK(count == 0);
}

// Rows that are not finite are named, the first of them, also where they are quantised on the way.
void check_bad_rows(const KernelTable& table, std::mt19937& random) {
  constexpr std::size_t kDim = 20, kRows = 3000;
  std::vector<float> rows = random_vectors(random, kRows * kDim);
  const std::vector<float> queries = random_vectors(random, 20 * kDim);
  for (const std::size_t bad : {2900, 1700, 1701}) rows[bad * kDim + bad % kDim] = std::numeric_limits<float>::quiet_NaN();
  const float threshold[20] = {};
  for (const std::size_t n : {std::size_t{1}, std::size_t{20}})
    for (const Metric metric : kAllMetrics) {
      Uninterrupted call;
      CHECK(range_search({table, {queries.data(), n}, view(rows, kDim), metric, nullptr, nullptr, nullptr, {threshold, nullptr, 0}}, 10,
                         call.with(2))
                .bad == 1700);
    }
}

}  // namespace

int main() {
  for (const KernelTable* table : supported_tables()) {
    std::mt19937 random(3);
    check_gates(*table, 700, 19, 3, random);
    check_gates(*table, 1300, 40, 20, random);
    check_concurrent_ranges(*table, random);
    check_bad_rows(*table, random);
  }
  return finish();
}
