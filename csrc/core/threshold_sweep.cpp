// threshold_sweep.cpp -- cumulative counts over scores sorted best first.
#include "core/calibration.h"
#include "core/sort.h"

namespace fastcal {

template <typename T>
std::size_t threshold_sweep(std::span<const T> scores, const std::uint8_t* labels, const double* weights, T* thresholds,
                            const SweepOutput& out, StopToken& stop) {
  std::size_t distinct = 0;
  std::int64_t selected = 0;
  double weight = 0.0, positive = 0.0;
  const std::vector<std::uint32_t> order = stable_order(scores.data(), scores.size(), Order::descending, stop);
  in_stoppable_pieces(order.size(), stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end; ++at) {
      const std::uint32_t i = order[at];
      const T score = scores[i] + T{0};
      if (distinct == 0 || thresholds[distinct - 1] != score) thresholds[distinct++] = score;
      const double w = weights != nullptr ? weights[i] : 1.0;
      ++selected;
      weight += w;
      positive += labels[i] != 0 ? w : 0.0;
      out.selected[distinct - 1] = selected;
      out.weight[distinct - 1] = weight;
      out.positive[distinct - 1] = positive;
    }
  });
  return distinct;
}

template std::size_t threshold_sweep(std::span<const float>, const std::uint8_t*, const double*, float*, const SweepOutput&, StopToken&);
template std::size_t threshold_sweep(std::span<const double>, const std::uint8_t*, const double*, double*, const SweepOutput&, StopToken&);

}  // namespace fastcal
