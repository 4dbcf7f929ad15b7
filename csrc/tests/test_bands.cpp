// test_bands.cpp -- histograms and band samples through the sketch, through a full scan, and by the definition.
#include "core/bands.h"

#include <algorithm>
#include <limits>

#include "core/reservoir.h"
#include "reference.h"
#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::uint64_t kSeed = 7;
constexpr std::int64_t kFirstRow = 1'000'000'000'000;

struct Problem {
  std::size_t n_rows, dim, n_queries;
  Metric metric;
  std::vector<float> rows, queries;

  Corpus corpus() const {
    return {reinterpret_cast<const std::byte*>(rows.data()), static_cast<std::ptrdiff_t>(dim * sizeof(float)), n_rows, dim,
            Element::float32};
  }
  QueryView view() const { return {queries.data(), n_queries}; }
};

struct Found {
  std::int64_t bad = -1;
  std::vector<std::int64_t> counts, rows;
  std::vector<std::uint32_t> score_bits;
  std::vector<std::uint64_t> priorities;
  bool operator==(const Found&) const = default;
};

Found empty(const Problem& p, std::size_t bins, std::size_t size) {
  const std::size_t lists = p.n_queries * bins;
  return {-1, std::vector<std::int64_t>(lists), std::vector<std::int64_t>(lists * size, -1),
          std::vector<std::uint32_t>(lists * size, 0x7fc00000u),
          std::vector<std::uint64_t>(lists * size, std::numeric_limits<std::uint64_t>::max())};
}

// Every row scored, put into its bin by comparison, and the bins sorted by priority.
Found by_definition(const Problem& p, const std::vector<float>& edges, std::size_t size) {
  const std::size_t bins = edges.size() - 1;
  Found found = empty(p, bins, size);
  for (std::size_t q = 0; q < p.n_queries; ++q) {
    std::vector<float> scores;
    for (std::size_t r = 0; r < p.n_rows; ++r) scores.push_back(score(p.metric, &p.queries[q * p.dim], &p.rows[r * p.dim], p.dim));
    for (std::size_t bin = 0; bin < bins; ++bin) {
      std::vector<std::pair<std::uint64_t, std::size_t>> members;
      for (std::size_t r = 0; r < p.n_rows; ++r) {
        const float s = scores[r];
        if (s >= edges[bin] && (s < edges[bin + 1] || (bin + 1 == bins && s == edges[bin + 1])))
          members.emplace_back(splitmix64(priority_state(kSeed, q), static_cast<std::uint64_t>(kFirstRow) + r), r);
      }
      std::sort(members.begin(), members.end());
      found.counts[q * bins + bin] = static_cast<std::int64_t>(members.size());
      for (std::size_t i = 0; i < std::min(size, members.size()); ++i) {
        const std::size_t slot = (q * bins + bin) * size + i, row = members[i].second;
        found.rows[slot] = kFirstRow + static_cast<std::int64_t>(row);
        found.priorities[slot] = members[i].first;
        found.score_bits[slot] = bits(scores[row]);
      }
    }
  }
  return found;
}

Found by_sampling(const KernelTable& table, const Problem& p, const std::vector<float>& edges, std::size_t size, const Sketch* sketch,
                  int threads) {
  Found found = empty(p, edges.size() - 1, size);
  std::vector<float> scores(found.score_bits.size());
  Uninterrupted call;
  found.bad = sample_bands(table, p.view(), p.corpus(), nullptr, p.metric, {edges.data(), edges.size()}, kSeed, kFirstRow, sketch,
                           {found.counts.data(), found.rows.data(), scores.data(), found.priorities.data(), size}, call.with(threads));
  std::transform(scores.begin(), scores.end(), found.score_bits.begin(), [](float s) { return bits(s); });
  return found;
}

Problem problem(std::mt19937& random, std::size_t n_rows, std::size_t dim, Metric metric) {
  Problem p{n_rows, dim, 9, metric, random_vectors(random, n_rows * dim), random_vectors(random, 9 * dim)};
  for (std::size_t r = 0; r < n_rows; r += 7) std::copy_n(&p.rows[0], dim, &p.rows[r * dim]);  // ties
  for (std::size_t i = 0; i < dim; ++i) {
    p.rows[3 * dim + i] = 0.0f;
    p.rows[4 * dim + i] *= 1e30f;   // beyond what bounds can say
    p.rows[5 * dim + i] *= 1e-41f;  // denormal
    p.queries[dim + i] = 0.0f;
    p.queries[2 * dim + i] = p.rows[8 * dim + i];
    p.queries[3 * dim + i] *= 1e25f;
  }
  return p;
}

// Edges of every kind: few and many, in the tail, exactly on scores, infinite, and more than a sketch can number.
std::vector<std::vector<float>> edge_lists(const Problem& p) {
  std::vector<float> values;
  for (std::size_t r = 0; r < p.n_rows; r += 3) values.push_back(score(p.metric, &p.queries[0], &p.rows[r * p.dim], p.dim));
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  const auto at = [&](double share) { return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))]; };
  std::vector<float> on_scores;
  for (std::size_t i = 0; i < std::min<std::size_t>(values.size(), 254); ++i) on_scores.push_back(values[i]);
  return {{at(0.98), at(1.0)},
          {-kInfinity, at(0.5), kInfinity},
          {at(0.0), at(0.3), std::nextafter(at(0.3), kInfinity), at(0.7)},
          {-2.0f, -1.0f, -0.0f, at(0.9)},
          {-kInfinity, 0.0f},
          {5e30f, 6e30f, kInfinity},
          on_scores,
          values};
}

void check_problem(const KernelTable& table, const Problem& p) {
  Uninterrupted call;
  Sketch sketch(p.dim, p.n_rows, p.metric);
  std::vector<double> norms(p.n_rows);
  std::atomic<std::size_t> done{0};
  CHECK(sketch.build(table, p.corpus(), norms.data(), done, call.with(2)) == -1);
  for (const std::vector<float>& edges : edge_lists(p)) {
    if (edges.size() < 2) continue;
    const std::size_t size = 5;
    const Found expected = by_definition(p, edges, size);
    for (const Sketch* through : {static_cast<const Sketch*>(nullptr), static_cast<const Sketch*>(&sketch)}) {
      std::vector<std::int64_t> counts(expected.counts.size());
      CHECK(histogram(table, p.view(), p.corpus(), norms.data(), p.metric, {edges.data(), edges.size()}, through, counts.data(),
                      call.with(3)) == -1);
      CHECK(counts == expected.counts);
      for (const int threads : {1, 3}) CHECK(by_sampling(table, p, edges, size, through, threads) == expected);
    }
  }
}

// A row rewritten behind the sketch's back: noticed when it is read, and outputs stay as they were.
void check_changed_row(const KernelTable& table, std::mt19937& random) {
  Problem p = problem(random, 2000, 32, Metric::cosine);
  std::copy_n(&p.rows[40 * p.dim], p.dim, &p.queries[0]);
  p.n_queries = 1;
  Uninterrupted call;
  Sketch sketch(p.dim, p.n_rows, p.metric);
  std::vector<double> norms(p.n_rows);
  std::atomic<std::size_t> done{0};
  sketch.build(table, p.corpus(), norms.data(), done, call.with(1));
  for (std::size_t i = 0; i < p.dim; ++i) p.rows[40 * p.dim + i] = -p.rows[40 * p.dim + i];
  const auto notices = [&](const std::vector<float>& edges) {
    std::int64_t count = 77;
    const std::int64_t bad = histogram(table, p.view(), p.corpus(), nullptr, p.metric, {edges.data(), 2}, &sketch, &count, call.with(2));
    return bad == 40 && count == 77;
  };
  CHECK(notices({1.0f, 2.0f}));                                              // a straddler outside its bounds
  const Found sampled = by_sampling(table, p, {0.9f, 1.5f}, 3, &sketch, 1);  // counted unread, scored because it was drawn
  CHECK(sampled.bad == 40 && sampled.counts[0] == 0 && sampled.rows[0] == -1);
  p.rows[40 * p.dim + 1] = std::numeric_limits<float>::quiet_NaN();
  CHECK(notices({1.0f, 2.0f}));
}

}  // namespace

int main() {
  for (const KernelTable* table : supported_tables()) {
    std::mt19937 random(17);
    for (const Metric metric : kAllMetrics) {
      check_problem(*table, problem(random, 40, 3, metric));
      check_problem(*table, problem(random, 777, 33, metric));
      check_problem(*table, problem(random, 3000, 64, metric));
    }
    check_changed_row(*table, random);
  }
  return finish();
}
