// venn_abers.cpp -- all test positions of an inductive Venn-Abers predictor in one pass after the sort.
//
// Let P_i be the point (weight, weighted labels) of the first i distinct scores. A test object at the j-th score, or in the gap
// before it, moves every later point by (1, y), and its fitted value is max over a of min over b of the slope from P_a to
// P_b + (1, y), where a runs over the points before the object and b over those after it: the line that bridges the lower hull
// of a prefix and that of a suffix. As the object moves right, the prefix grows, the suffix shrinks and the value rises, so the
// two ends of the bridge move right as well: each of them passes every point once.
#include "core/venn_abers.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/check.h"
#include "core/sort.h"

namespace fastcal {
namespace {

struct Point {
  double weight, sum;
};

struct Curve {
  std::vector<double> scores;  // distinct, rising
  std::vector<Point> points;   // one more than scores: the cumulative sums before each of them, and after the last
};

struct Step {
  double weight, sum;
};

Step operator-(const Point& to, const Point& from) {
  return {to.weight - from.weight, to.sum - from.sum};
}

// Different shares of counts below 2^26 are different quotients; cross products would overflow for huge weights.
bool at_most(const Step& x, const Step& y) {
  return x.sum / x.weight <= y.sum / y.weight;
}

Curve cumulative(std::span<const double> scores, std::span<const double> labels, std::span<const double> weights, StopToken& stop) {
  const std::vector<std::uint32_t> order = stable_order(scores.data(), scores.size(), Order::ascending, stop);
  Curve curve{{}, {{0.0, 0.0}}};
  Point total{0.0, 0.0};
  in_stoppable_pieces(order.size(), stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end; ++at) {
      const std::uint32_t i = order[at];
      if (weights[i] == 0.0) continue;
      const double score = scores[i] + 0.0;
      total = {total.weight + weights[i], total.sum + weights[i] * labels[i]};
      if (curve.scores.empty() || curve.scores.back() != score) {
        curve.scores.push_back(score);
        curve.points.push_back(total);
      } else {
        curve.points.back() = total;
      }
    }
  });
  return curve;
}

// after[i] is the vertex after i on the lower hull of points i, i + 1, ...; 0 where there is none.
std::vector<std::uint32_t> suffix_hulls(const std::vector<Point>& p, StopToken& stop) {
  std::vector<std::uint32_t> after(p.size(), 0);
  in_stoppable_pieces(p.size() - 1, stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t done = begin; done < end; ++done) {
      const std::size_t i = p.size() - 2 - done;
      auto vertex = static_cast<std::uint32_t>(i + 1);
      while (after[vertex] != 0 && at_most(p[after[vertex]] - p[vertex], p[vertex] - p[i])) vertex = after[vertex];
      after[i] = vertex;
    }
  });
  return after;
}

// out[2 j] is the value of an object labelled y in the gap before score j, out[2 j + 1] that of one at score j.
void bridge_slopes(const std::vector<Point>& p, const std::vector<std::uint32_t>& after, double y, double* out, StopToken& stop) {
  std::vector<std::uint32_t> hull;  // of points 0..j
  std::size_t left = 0;             // the bridge goes from p[hull[left]] to p[right] + (1, y)
  std::uint32_t right = 0;
  double value = 0.0;
  const auto bridge = [&](std::uint32_t to) {
    const Step step = p[to] - p[hull[left]];
    return Step{step.weight + 1.0, step.sum + y};
  };
  in_stoppable_pieces(p.size(), stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t j = begin; j < end; ++j) {
      while (hull.size() > 1 && at_most(p[j] - p[hull.back()], p[hull.back()] - p[hull[hull.size() - 2]])) hull.pop_back();
      hull.push_back(static_cast<std::uint32_t>(j));
      left = std::min(left, hull.size() - 1);
      for (std::size_t first = j; first <= j + 1 && first < p.size(); ++first) {
        right = std::max(right, static_cast<std::uint32_t>(first));
        for (;;) {
          while (after[right] != 0 && at_most(bridge(after[right]), bridge(right))) right = after[right];
          if (left + 1 == hull.size() || !at_most(p[hull[left + 1]] - p[hull[left]], bridge(right))) break;
          ++left;
        }
        const Step step = bridge(right);
        value = std::max(value, std::min(1.0, step.sum / step.weight));  // rounding of fractional weights bends no curve
        out[j + first] = value;
      }
    }
  });
}

// Keeps the scores at which p0 or p1 changes; returns how many.
std::size_t changes_only(const std::vector<double>& scores, double* knots, double* p0, double* p1) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double* const at0 = p0 + 2 * i;
    const double* const at1 = p1 + 2 * i;
    if (at0[0] == at0[2] && at1[0] == at1[2]) continue;  // neither curve falls
    knots[kept] = scores[i];
    p0[2 * kept + 1] = at0[1];
    p1[2 * kept + 1] = at1[1];
    ++kept;
    p0[2 * kept] = at0[2];
    p1[2 * kept] = at1[2];
  }
  return kept;
}

}  // namespace

std::size_t venn_abers_fit(std::span<const double> scores, std::span<const double> labels, std::span<const double> weights, double* knots,
                           double* p0, double* p1, StopToken& stop) {
  FASTCAL_ASSERT(scores.size() == labels.size() && scores.size() == weights.size());
  const Curve curve = cumulative(scores, labels, weights, stop);
  const std::vector<std::uint32_t> after = suffix_hulls(curve.points, stop);
  bridge_slopes(curve.points, after, 0.0, p0, stop);
  bridge_slopes(curve.points, after, 1.0, p1, stop);
  return changes_only(curve.scores, knots, p0, p1);
}

}  // namespace fastcal
