// test_kernels.cpp -- scoring and conversion kernels against the reference, byte for byte, on every table.
#include <limits>

#include "core/queries.h"
#include "reference.h"
#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> awkward_rows(std::mt19937& random, std::size_t n, std::size_t dim) {
  std::vector<float> rows = random_vectors(random, n * dim);
  for (std::size_t i = 0; i < dim; ++i) {
    if (n > 1) rows[dim + i] = 0.0f;
    if (n > 2) rows[2 * dim + i] = 1e-40f * static_cast<float>(i + 1);
    if (n > 3) rows[3 * dim + i] *= 1e18f;
    if (n > 4) rows[4 * dim + i] = 0.1f;
  }
  return rows;
}

struct Block {
  Block(const KernelTable& table, const std::vector<float>& rows, std::size_t n_rows, std::size_t dim) : pointers(n_rows), norms(n_rows) {
    for (std::size_t r = 0; r < n_rows; ++r) pointers[r] = rows.data() + r * dim;
    table.squared_norms(pointers.data(), n_rows, dim, norms.data());
    for (double& norm : norms) norm = std::sqrt(norm);
  }
  RowBlock view() const { return {pointers.data(), norms.data(), pointers.size()}; }
  std::vector<const float*> pointers;
  std::vector<double> norms;
};

void check_scores(const KernelTable& table, std::size_t n_queries, std::size_t n_rows, std::size_t dim, std::mt19937& random) {
  const std::vector<float> rows = awkward_rows(random, n_rows, dim), queries = awkward_rows(random, n_queries, dim);
  const Queries prepared(table, queries.data(), n_queries, dim);
  const Block block(table, rows, n_rows, dim);
  std::vector<float> exact(n_queries * n_rows), fast(n_queries * n_rows);
  for (const Metric metric : kAllMetrics) {
    const int m = static_cast<int>(metric);
    CHECK(table.exact_scores[m](prepared.block(0, n_queries), block.view(), exact.data(), n_rows) == n_rows);
    CHECK(table.fast_scores[m](prepared.block(0, n_queries), block.view(), fast.data(), n_rows) == n_rows);
    for (std::size_t q = 0; q < n_queries; ++q) {
      for (std::size_t r = 0; r < n_rows; ++r) {
        const float* a = queries.data() + q * dim;
        const float* b = rows.data() + r * dim;
        const float truth = score(metric, a, b, dim);
        CHECK(bits(exact[q * n_rows + r]) == bits(truth));
        const double scale = metric == Metric::cosine ? 1.0
                             : metric == Metric::dot  ? std::sqrt(dot(a, a, dim)) * std::sqrt(dot(b, b, dim))
                                                      : static_cast<double>(truth);
        const double unit = static_cast<double>(dim + 8);
        CHECK(std::fabs(static_cast<double>(fast[q * n_rows + r]) - static_cast<double>(truth)) <= unit * (0x1p-23 * scale + 0x1p-149));
      }
    }
  }
}

void check_bad_rows(const KernelTable& table, std::size_t dim, std::mt19937& random) {
  constexpr std::size_t kRows = 9;
  for (const float poison : {kNaN, kInfinity, -kInfinity}) {
    for (const std::size_t bad : {std::size_t{0}, std::size_t{4}, kRows - 1}) {
      std::vector<float> rows = random_vectors(random, kRows * dim), queries = random_vectors(random, 7 * dim);
      rows[bad * dim + dim / 2] = poison;
      rows[(kRows - 1) * dim] = poison;
      for (std::size_t q = 0; q < 7; ++q) queries[q * dim + dim / 2] = 0.0f;  // 0 * inf must not hide it
      const Queries prepared(table, queries.data(), 7, dim);
      const Block block(table, rows, kRows, dim);
      std::vector<float> out(7 * kRows);
      for (int m = 0; m < kMetrics; ++m) {
        CHECK(table.exact_scores[m](prepared.block(0, 7), block.view(), out.data(), kRows) == bad);
        CHECK(table.fast_scores[m](prepared.block(0, 7), block.view(), out.data(), kRows) == bad);
      }
    }
  }
}

// Every half-precision value, in both formats, against the definition.
void check_widening(const KernelTable& table) {
  std::vector<std::uint16_t> all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  std::vector<float> half(all.size()), brain(all.size());
  table.widen_f16(all.data(), all.size(), half.data());
  table.widen_bf16(all.data(), all.size(), brain.data());
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(bits(brain[i]) == static_cast<std::uint32_t>(i) << 16);
    const int exponent = static_cast<int>(i >> 10 & 31), mantissa = static_cast<int>(i & 1023);
    if (exponent == 31) {
      CHECK(!std::isfinite(half[i]));
      continue;
    }
    const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    CHECK(bits(half[i]) == bits(static_cast<float>((i & 0x8000) != 0 ? -magnitude : magnitude)));
  }
}

}  // namespace

int main() {
  for (const KernelTable* table : supported_tables()) {
    std::mt19937 random(7);
    for (const std::size_t dim : kSizes)
      for (const std::size_t n_rows : {1u, 3u, 4u, 5u, 13u, 64u})
        for (const std::size_t n_queries : {1u, 2u, 3u, 6u, 7u, 13u}) check_scores(*table, n_queries, n_rows, dim, random);
    for (const std::size_t dim : kSizes) check_bad_rows(*table, dim, random);
    check_widening(*table);
  }
  return finish();
}
