// test_fusion.cpp -- fusion: values by hand, the order of ties, gaps closed, the bytes of the definition of ln and exp.
#include "core/fusion.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/elementary.h"
#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

struct Lists {
  std::vector<std::vector<std::int64_t>> ids, offsets;
  std::vector<std::vector<float>> scores;
  std::vector<double> weights, factors;

  FusionPlan plan(FuseValue value, FuseCombine combine) const {
    FusionPlan p{{},
                 &dispatch::compiled().front()->f32,
                 weights.data(),
                 0,
                 factors.data(),
                 value,
                 combine,
                 60.0,
                 0.0,
                 false,
                 FuseMissing::skip,
                 0.0,
                 FuseDuplicates::first,
                 FuseTies::source,
                 -1};
    for (std::size_t r = 0; r < ids.size(); ++r) p.runs.push_back({ids[r].data(), scores[r].data(), offsets[r], std::nullopt});
    return p;
  }
};

Lists by_hand() {
  return {{{1, 2, 2}, {2, 3}}, {{0, 3, 3}, {0, 1, 2}}, {{3.0f, 2.0f, 1.0f}, {4.0f, 8.0f}}, {1.0, 1.0}, {1.0, 1.0, 1.0}};
}

struct Fused {
  std::vector<std::int64_t> offsets, ids, entries;
  std::vector<float> scores;
  std::vector<double> terms;
  std::int64_t bad;
};

Fused run(const FusionPlan& plan, std::size_t room, int threads) {
  const std::size_t n_runs = plan.runs.size();
  Fused f{std::vector<std::int64_t>(plan.n_queries() + 1),
          std::vector<std::int64_t>(room),
          std::vector<std::int64_t>(room * n_runs),
          std::vector<float>(room),
          std::vector<double>(room * n_runs),
          -1};
  Uninterrupted call;
  f.bad = fuse(plan, {f.offsets.data(), f.ids.data(), f.scores.data(), f.entries.data(), f.terms.data()}, call.with(threads));
  const auto kept = static_cast<std::size_t>(f.offsets.back());
  f.ids.resize(kept);
  f.scores.resize(kept);
  return f;
}

void check_values() {
  const Lists lists = by_hand();
  const Fused f = run(lists.plan(FuseValue::reciprocal, FuseCombine::sum), 5, 2);
  CHECK((f.offsets == std::vector<std::int64_t>{0, 2, 3}));
  CHECK((f.ids == std::vector<std::int64_t>{2, 1, 3}));
  CHECK(bits(f.scores[0]) == bits(static_cast<float>(1.0 / 62 + 1.0 / 61)));  // listed twice counts once
  CHECK(f.entries[0] == 1 && f.entries[1] == 0 && f.entries[2] == 0 && f.entries[3] == -1);
  CHECK(f.terms[0] == 1.0 / 62 && f.terms[3] == 0.0);
  CHECK((run(lists.plan(FuseValue::score, FuseCombine::max), 5, 1).scores == std::vector<float>{4.0f, 3.0f, 8.0f}));
  FusionPlan plan = lists.plan(FuseValue::score, FuseCombine::sum);
  plan.duplicates = FuseDuplicates::sum;
  CHECK((run(plan, 5, 1).scores == std::vector<float>{7.0f, 3.0f, 8.0f}));
  plan.duplicates = FuseDuplicates::error;
  CHECK(run(plan, 5, 1).bad == 2);
  plan = lists.plan(FuseValue::score, FuseCombine::sum);
  plan.runs[1].norm = AffineRule{AffineKind::minmax, true, 0, 0.0, 0.0, 0.0, 0.5, -std::numeric_limits<double>::infinity(), nullptr};
  CHECK((run(plan, 5, 2).scores == std::vector<float>{3.0f, 2.5f, 0.5f}));  // lists of one score are constant
  Lists broken = by_hand();
  broken.scores[1][1] = std::numeric_limits<float>::quiet_NaN();
  CHECK(run(broken.plan(FuseValue::score, FuseCombine::sum), 5, 2).bad == 1);
}

// Many queries, ties and repeated ids: threads and top_k change nothing, and the order is that of a plain sort.
void check_order() {
  std::mt19937 random(3);
  constexpr std::size_t kQueries = 60, kRuns = 3;
  Lists lists;
  for (std::size_t r = 0; r < kRuns; ++r) {
    lists.offsets.push_back({0});
    lists.ids.emplace_back();
    for (std::size_t query = 0; query < kQueries; ++query) {
      for (std::size_t i = random() % 600; i > 0; --i) lists.ids[r].push_back(static_cast<std::int64_t>(random() % 900));
      lists.offsets[r].push_back(static_cast<std::int64_t>(lists.ids[r].size()));
    }
    lists.scores.emplace_back(lists.ids[r].size());
    for (float& score : lists.scores[r]) score = static_cast<float>(random() % 40) / 4.0f;
  }
  lists.weights = {1.0, 0.5, 2.0};
  lists.factors = {1.0, 1.0, 1.0, 1.0};
  const std::size_t room = lists.ids[0].size() + lists.ids[1].size() + lists.ids[2].size();
  FusionPlan plan = lists.plan(FuseValue::score, FuseCombine::sum);
  plan.ties = FuseTies::id_desc;
  const Fused all = run(plan, room, 1), threaded = run(plan, room, 3);
  CHECK(all.ids == threaded.ids && all.scores == threaded.scores && all.offsets == threaded.offsets);
  plan.top_k = 7;
  const Fused best = run(plan, room, 2);
  for (std::size_t query = 0; query < kQueries; ++query) {
    const auto begin = static_cast<std::size_t>(all.offsets[query]), end = static_cast<std::size_t>(all.offsets[query + 1]);
    for (std::size_t i = begin + 1; i < end; ++i)
      CHECK(all.scores[i - 1] > all.scores[i] || (all.scores[i - 1] == all.scores[i] && all.ids[i - 1] > all.ids[i]));
    const auto from = static_cast<std::size_t>(best.offsets[query]), to = static_cast<std::size_t>(best.offsets[query + 1]);
    CHECK(to - from == std::min<std::size_t>(7, end - begin));
    for (std::size_t i = from; i < to; ++i) CHECK(best.ids[i] == all.ids[begin + i - from]);
  }
}

void check_elementary() {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> exponent(-300.0, 300.0);
  for (int i = 0; i < 2000; ++i) {
    const double x = std::pow(10.0, exponent(random)), expected = std::log(x);
    CHECK(std::fabs(natural_log(x) - expected) <= 2 * std::fabs(expected) * 0x1p-52);
    const double y = std::fabs(exponent(random));
    CHECK(std::fabs(exp_minus(y) - std::exp(-y)) <= 2 * std::exp(-y) * 0x1p-52);
  }
  CHECK(natural_log(1.0) == 0.0 && exp_minus(0.0) == 1.0);
}

}  // namespace

int main() {
  check_values();
  check_order();
  check_elementary();
  return finish();
}
