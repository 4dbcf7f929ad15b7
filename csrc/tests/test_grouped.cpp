// test_grouped.cpp -- rows of groups: numbers and best rows against sorting, exact sums against integers.
#include "core/grouped.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

// The best rows by sorting all of them.
std::vector<std::int32_t> sorted_rows(const Ranking& ranking, const std::vector<std::int64_t>& docs, std::size_t most) {
  std::vector<std::int32_t> rows(docs.size()), best;
  std::iota(rows.begin(), rows.end(), 0);
  const auto at = [](std::int32_t row) { return static_cast<std::size_t>(row); };
  std::sort(rows.begin(), rows.end(), [&](std::int32_t a, std::int32_t b) {
    const std::size_t i = at(a), j = at(b);
    if (ranking.codes[i] != ranking.codes[j]) return ranking.codes[i] < ranking.codes[j];
    if (ranking.on[i] != ranking.on[j]) return ranking.on[i] > ranking.on[j];
    if (ranking.scores[i] != ranking.scores[j]) return ranking.scores[i] > ranking.scores[j];
    return docs[i] != docs[j] ? docs[i] < docs[j] : i < j;
  });
  std::vector<std::size_t> found(ranking.groups);
  for (const std::int32_t row : rows)
    if (found[at(ranking.codes[at(row)])]++ < most) best.push_back(row);
  return best;
}

void check_best_rows(bool together) {
  constexpr std::size_t kRows = 50'000, kGroups = 37, kMost = 20;
  std::mt19937 random(together ? 1 : 2);
  std::vector<std::int64_t> queries(kRows), docs(kRows);
  std::vector<float> on(kRows), scores(kRows);
  for (std::size_t i = 0; i < kRows; ++i) {
    queries[i] = static_cast<std::int64_t>(together ? i * kGroups / kRows : random() % kGroups) * 1000 - 9;
    docs[i] = static_cast<std::int64_t>(random() % 100);
    on[i] = static_cast<float>(random() % 50);
    scores[i] = static_cast<float>(random() % 9);
  }
  std::vector<std::int32_t> codes(kRows), firsts(kRows);
  Uninterrupted call;
  CHECK(number_rows(IntegerKeys{queries.data()}, kRows, codes.data(), firsts.data(), call.with(1).stop) == kGroups);
  for (std::size_t i = 0; i < kRows; ++i) CHECK(codes[i] == (queries[i] + 9) / 1000);
  const Ranking ranking{codes, kGroups, on.data(), scores.data(), true, nullptr, IntegerKeys{docs.data()}};
  const std::vector<std::int32_t> expected = sorted_rows(ranking, docs, kMost);
  for (const int num_threads : {1, 3}) {
    std::vector<std::int32_t> out(kRows);
    out.resize(top_rows(ranking, kMost, out.data(), call.with(num_threads)));
    CHECK(out == expected);
  }
}

void check_moments() {
  const std::vector<float> scores{1.0f, -1.0f, 0x1p-149f, -0x1p-149f, 0x1p-149f};
  const std::vector<std::int32_t> codes(scores.size());
  std::int64_t count = 0;
  float least = 0, greatest = 0;
  std::vector<std::uint64_t> sums(kSumWords), squares(kSquareWords);
  Uninterrupted call;
  CHECK(exact_moments(codes, scores.data(), 1, {&count, &least, &greatest, sums.data(), squares.data()}, call.with(1).stop) == -1);
  CHECK(count == 5 && least == -1.0f && greatest == 1.0f);
  CHECK(sums[0] == 1 && std::count(sums.begin(), sums.end(), 0u) == kSumWords - 1);
  CHECK(squares[0] == 3 && squares[298 / 64] == std::uint64_t{2} << 298 % 64);
}

}  // namespace

int main() {
  check_best_rows(true);
  check_best_rows(false);
  check_moments();
  return finish();
}
