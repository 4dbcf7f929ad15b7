// register_calibration.cpp -- Platt, isotonic, beta, Venn-Abers, step curves, threshold sweep.
#include <pybind11/stl.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "bindings/arrays.h"
#include "bindings/engine.h"
#include "core/calibration.h"
#include "core/float_env.h"
#include "core/knot_index.h"
#include "core/lists.h"
#include "core/step_curve.h"
#include "core/venn_abers.h"

namespace fastcal::bindings {
namespace {

// stable_order numbers positions in 32 bits.
void check_sortable(std::size_t n) {
  FASTCAL_CHECK(n < std::numeric_limits<std::uint32_t>::max(), "at most 4,294,967,294 scores can be sorted in one call");
}

py::tuple engine_platt_fit(const Engine&, const py::array& scores, const py::array& targets, const py::array& weights) {
  const auto s = flat<double>(scores, "scores"), t = flat<double>(targets, "targets"), w = flat<double>(weights, "weights");
  FASTCAL_CHECK(!s.empty() && s.size() == t.size() && s.size() == w.size(), "scores, targets, weights: expected one length >= 1");
  const PlattModel model = without_gil(1, [&](const CallContext& context) {
    const FloatEnvironment environment;
    return platt_fit(s, t, w, context.stop);
  });
  return py::make_tuple(model.a, model.b);
}

std::size_t engine_isotonic_fit(const Engine&, const py::array& scores, const py::array& labels, const py::array& weights, py::array& out_x,
                                py::array& out_y) {
  const auto s = flat<double>(scores, "scores"), l = flat<double>(labels, "labels"), w = flat<double>(weights, "weights");
  const auto x = flat_out<double>(out_x, "out_x"), y = flat_out<double>(out_y, "out_y");
  FASTCAL_CHECK(s.size() == l.size() && s.size() == w.size() && x.size() >= s.size() && y.size() >= s.size(),
                "scores, labels, weights, out_x, out_y: expected one length");
  check_sortable(s.size());
  return without_gil(1, [&](const CallContext& context) {
    const FloatEnvironment environment;
    return isotonic_fit(s, l, w, x.data(), y.data(), context.stop);
  });
}

template <typename T>
std::size_t fit_labels(const py::array& scores, std::span<const std::uint8_t> labels, py::array& out_x, py::array& out_y, int num_threads) {
  const auto s = flat<T>(scores, "scores");
  const auto x = flat_out<double>(out_x, "out_x"), y = flat_out<double>(out_y, "out_y");
  FASTCAL_CHECK(!s.empty() && s.size() == labels.size() && x.size() >= s.size() && y.size() >= s.size(),
                "scores, labels, out_x, out_y: expected one length >= 1");
  check_sortable(s.size());
  return without_gil(num_threads, [&](const CallContext& context) {
    const FloatEnvironment environment;
    return isotonic_fit_labels<T>(s, labels.data(), x.data(), y.data(), context);
  });
}

std::size_t engine_isotonic_fit_labels(const Engine&, const py::array& scores, const py::array& labels, py::array& out_x, py::array& out_y,
                                       int num_threads) {
  const auto truth = flat<std::uint8_t>(labels, "labels");
  return holds<float>(scores) ? fit_labels<float>(scores, truth, out_x, out_y, num_threads)
                              : fit_labels<double>(scores, truth, out_x, out_y, num_threads);
}

// call(kernels of the element type, values, n, out) on pieces of the scores.
template <typename T, typename Call>
void map_scores(const Engine& self, const py::array& scores, py::array& out, int num_threads, double nanoseconds_each, const Call& call) {
  const auto values = flat<T>(scores, "scores");
  const auto target = flat_out<T>(out, "out");
  FASTCAL_CHECK(values.size() == target.size(), "out: expected the size of scores");
  without_gil(num_threads, [&](const CallContext& context) {
    for_each_piece(values.size(), nanoseconds_each, context, [&](std::size_t begin, std::size_t end) {
      call(list_kernels<T>(self.kernels), values.data() + begin, end - begin, target.data() + begin);
    });
  });
}

void engine_platt_predict(const Engine& self, const py::array& scores, double a, double b, py::array& out, int num_threads) {
  const auto call = [a, b](const auto& kernels, const auto* values, std::size_t n, auto* target) {
    kernels.platt_predict(values, n, a, b, target);
  };
  if (holds<float>(scores)) return map_scores<float>(self, scores, out, num_threads, 2.0, call);
  map_scores<double>(self, scores, out, num_threads, 2.0, call);
}

template <typename T>
void map_curve(const Engine& self, const py::array& scores, std::span<const double> x, std::span<const double> y, py::array& out,
               int num_threads) {
  if (!KnotIndex<T>::pays_off(static_cast<std::size_t>(scores.size()), x.size())) {
    return map_scores<T>(self, scores, out, num_threads, 20.0, [x, y](const auto& kernels, const T* values, std::size_t n, T* target) {
      kernels.isotonic_predict(values, n, x.data(), y.data(), x.size(), target);
    });
  }
  const FloatEnvironment environment;
  const KnotIndex<T> index(x);
  const std::vector<Segment> segments = segments_of(x, y);
  map_scores<T>(self, scores, out, num_threads, 4.0, [&](const auto& kernels, const T* values, std::size_t n, T* target) {
    kernels.interpolate(values, n, index.table(), segments.data(), x.front(), x.back(), target);
  });
}

void engine_isotonic_predict(const Engine& self, const py::array& scores, const py::array& knots_x, const py::array& knots_y,
                             py::array& out, int num_threads) {
  const auto x = flat<double>(knots_x, "knots_x"), y = flat<double>(knots_y, "knots_y");
  FASTCAL_CHECK(!x.empty() && x.size() == y.size(), "knots_x, knots_y: expected one length >= 1");
  if (holds<float>(scores)) return map_curve<float>(self, scores, x, y, out, num_threads);
  map_curve<double>(self, scores, x, y, out, num_threads);
}

void engine_beta_predict(const Engine& self, const py::array& scores, double offset, double slope, double a, double b, double c,
                         py::array& out, int num_threads) {
  const auto call = [map = BetaMap{offset, slope, a, b, c}](const auto& kernels, const auto* values, std::size_t n, auto* target) {
    kernels.beta_predict(values, n, map, target);
  };
  if (holds<float>(scores)) return map_scores<float>(self, scores, out, num_threads, 10.0, call);
  map_scores<double>(self, scores, out, num_threads, 10.0, call);
}

std::size_t engine_venn_abers_fit(const Engine&, const py::array& scores, const py::array& labels, const py::array& weights,
                                  py::array& out_knots, py::array& out_p0, py::array& out_p1) {
  const auto s = flat<double>(scores, "scores"), l = flat<double>(labels, "labels"), w = flat<double>(weights, "weights");
  const auto x = flat_out<double>(out_knots, "out_knots"), p0 = flat_out<double>(out_p0, "out_p0"), p1 = flat_out<double>(out_p1, "out_p1");
  FASTCAL_CHECK(s.size() == l.size() && s.size() == w.size() && x.size() >= s.size(),
                "scores, labels, weights, out_knots: expected one length");
  FASTCAL_CHECK(std::min(p0.size(), p1.size()) >= 2 * s.size() + 1, "out_p0, out_p1: expected room for 2 * scores + 1");
  check_sortable(s.size());
  return without_gil(1, [&](const CallContext& context) {
    const FloatEnvironment environment;
    return venn_abers_fit(s, l, w, x.data(), p0.data(), p1.data(), context.stop);
  });
}

template <typename T>
void map_steps(const Engine& self, const py::array& scores, std::span<const double> x, std::span<const double> y, py::array& out,
               int num_threads) {
  if (!StepCurve<T>::pays_off(static_cast<std::size_t>(scores.size()), x)) {
    return map_scores<T>(self, scores, out, num_threads, 20.0, [x, y](const auto& kernels, const T* values, std::size_t n, T* target) {
      kernels.step_predict(values, n, x.data(), x.size(), y.data(), target);
    });
  }
  const FloatEnvironment environment;
  const StepCurve<T> curve(x, y);
  map_scores<T>(self, scores, out, num_threads, 3.0, [&](const auto& kernels, const T* values, std::size_t n, T* target) {
    kernels.look_up(values, n, curve.table(), curve.values(), curve.below(), target);
  });
}

void engine_step_predict(const Engine& self, const py::array& scores, const py::array& knots, const py::array& values, py::array& out,
                         int num_threads) {
  const auto x = flat<double>(knots, "knots"), y = flat<double>(values, "values");
  FASTCAL_CHECK(y.size() == 2 * x.size() + 1, "values: expected 2 * knots + 1");
  if (holds<float>(scores)) return map_steps<float>(self, scores, x, y, out, num_threads);
  map_steps<double>(self, scores, x, y, out, num_threads);
}

template <typename T>
std::size_t sweep(const py::array& scores, std::span<const std::uint8_t> labels, const double* weights, py::array& out_threshold,
                  const SweepOutput& out, int num_threads) {
  const auto values = flat<T>(scores, "scores");
  const auto thresholds = flat_out<T>(out_threshold, "out_threshold");
  FASTCAL_CHECK(values.size() == labels.size() && thresholds.size() >= values.size(), "scores, labels: expected one length");
  return without_gil(num_threads, [&](const CallContext& context) {
    const FloatEnvironment environment;
    return threshold_sweep<T>(values, labels.data(), weights, thresholds.data(), out, context);
  });
}

std::size_t engine_threshold_sweep(const Engine&, const py::array& scores, const py::array& labels, const std::optional<py::array>& weights,
                                   py::array& out_threshold, py::array& out_selected, py::array& out_weight, py::array& out_positive,
                                   int num_threads) {
  const auto truth = flat<std::uint8_t>(labels, "labels");
  const auto selected = flat_out<std::int64_t>(out_selected, "out_selected");
  const auto weight = flat_out<double>(out_weight, "out_weight"), positive = flat_out<double>(out_positive, "out_positive");
  const std::size_t n = truth.size();
  check_sortable(n);
  FASTCAL_CHECK(selected.size() >= n && weight.size() >= n && positive.size() >= n, "outputs: expected room for every score");
  const double* w = nullptr;
  if (weights) {
    const auto view = flat<double>(*weights, "weights");
    FASTCAL_CHECK(view.size() == n, "weights: expected one a score");
    w = view.data();
  }
  const SweepOutput out{selected.data(), weight.data(), positive.data()};
  return holds<float>(scores) ? sweep<float>(scores, truth, w, out_threshold, out, num_threads)
                              : sweep<double>(scores, truth, w, out_threshold, out, num_threads);
}

std::size_t engine_threshold_rates(const Engine&, const py::array& scores, const py::array& labels, py::array& out_threshold,
                                   py::array& out_selected, py::array& out_precision, py::array& out_recall, py::array& out_f1,
                                   int num_threads) {
  const auto values = flat<float>(scores, "scores");
  const auto truth = flat<std::uint8_t>(labels, "labels");
  const auto thresholds = flat_out<float>(out_threshold, "out_threshold");
  const auto selected = flat_out<std::int64_t>(out_selected, "out_selected");
  const auto precision = flat_out<double>(out_precision, "out_precision"), recall = flat_out<double>(out_recall, "out_recall"),
             f1 = flat_out<double>(out_f1, "out_f1");
  const std::size_t n = truth.size();
  check_sortable(n);
  FASTCAL_CHECK(values.size() == n, "scores, labels: expected one length");
  FASTCAL_CHECK(std::min({thresholds.size(), selected.size(), precision.size(), recall.size(), f1.size()}) >= n,
                "outputs: expected room for every score");
  const RatesOutput out{selected.data(), precision.data(), recall.data(), f1.data()};
  return without_gil(num_threads, [&](const CallContext& context) {
    const FloatEnvironment environment;
    return threshold_rates(values, truth.data(), thresholds.data(), out, context);
  });
}

}  // namespace

void register_calibration(EngineClass& engine) {
  using py::arg;
  const py::kw_only kw_only;
  engine.def("platt_fit", &engine_platt_fit, arg("scores"), arg("targets"), arg("weights"));
  engine.def("platt_predict", &engine_platt_predict, arg("scores"), arg("a"), arg("b"), arg("out").noconvert(), kw_only,
             arg("num_threads"));
  engine.def("isotonic_fit", &engine_isotonic_fit, arg("scores"), arg("labels"), arg("weights"), arg("out_x").noconvert(),
             arg("out_y").noconvert());
  engine.def("isotonic_fit_labels", &engine_isotonic_fit_labels, arg("scores"), arg("labels"), arg("out_x").noconvert(),
             arg("out_y").noconvert(), kw_only, arg("num_threads"));
  engine.def("isotonic_predict", &engine_isotonic_predict, arg("scores"), arg("knots_x"), arg("knots_y"), arg("out").noconvert(), kw_only,
             arg("num_threads"));
  engine.def("beta_predict", &engine_beta_predict, arg("scores"), arg("offset"), arg("slope"), arg("a"), arg("b"), arg("c"),
             arg("out").noconvert(), kw_only, arg("num_threads"));
  engine.def("venn_abers_fit", &engine_venn_abers_fit, arg("scores"), arg("labels"), arg("weights"), arg("out_knots").noconvert(),
             arg("out_p0").noconvert(), arg("out_p1").noconvert());
  engine.def("step_predict", &engine_step_predict, arg("scores"), arg("knots"), arg("values"), arg("out").noconvert(), kw_only,
             arg("num_threads"));
  engine.def("threshold_sweep", &engine_threshold_sweep, arg("scores"), arg("labels"), arg("weights").none(true),
             arg("out_threshold").noconvert(), arg("out_selected").noconvert(), arg("out_weight").noconvert(),
             arg("out_positive").noconvert(), kw_only, arg("num_threads"));
  engine.def("threshold_rates", &engine_threshold_rates, arg("scores"), arg("labels"), arg("out_threshold").noconvert(),
             arg("out_selected").noconvert(), arg("out_precision").noconvert(), arg("out_recall").noconvert(), arg("out_f1").noconvert(),
             kw_only, arg("num_threads"));
}

}  // namespace fastcal::bindings
