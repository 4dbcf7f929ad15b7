// register_fusion.cpp -- fuse.
#include <pybind11/stl.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "bindings/engine.h"
#include "bindings/list_arguments.h"
#include "core/fusion.h"

namespace fastcal::bindings {
namespace {

// The names of an enumeration in the order of its values.
template <typename Enum, std::size_t N>
Enum named(std::string_view name, const std::array<std::string_view, N>& names, const char* what) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == name) return static_cast<Enum>(i);
  FASTCAL_CHECK(false, std::string(what) + ": unknown name " + std::string(name));
  return Enum{};
}

constexpr std::array<std::string_view, 5> kValues{"reciprocal", "square", "power", "points", "score"};
constexpr std::array<std::string_view, 10> kCombines{"sum",      "by_weights", "mean", "geometric", "harmonic",
                                                     "logistic", "min",        "max",  "median",    "copeland"};
constexpr std::array<std::string_view, 3> kMissing{"skip", "min", "fill"};
constexpr std::array<std::string_view, 4> kDuplicates{"first", "max", "sum", "error"};
constexpr std::array<std::string_view, 3> kTies{"source", "id", "id_desc"};

using Arrays = std::vector<py::array>;
using OptionalArrays = std::vector<std::optional<py::array>>;
// The fields of AffineRule but `given`.
using Norm = std::tuple<std::string_view, bool, std::int64_t, double, double, double, double, double>;
using Norms = std::optional<std::vector<std::optional<Norm>>>;

AffineRule rule_of(const Norm& norm) {
  const auto& [kind, higher_is_better, ddof, n_sigma, eps, tolerance, on_constant, on_single] = norm;
  const AffineRule rule{affine_kind(kind), higher_is_better, ddof, n_sigma, eps, tolerance, on_constant, on_single, nullptr};
  FASTCAL_CHECK(rule.kind != AffineKind::given, "norms: expected a kind that needs no numbers of the caller's");
  return rule;
}

std::vector<RunView> run_views(const Arrays& ids, const OptionalArrays& scores, const Arrays& offsets, const Norms& norms,
                               std::size_t n_queries, FuseValue value) {
  FASTCAL_CHECK(!ids.empty() && ids.size() == scores.size() && ids.size() == offsets.size(),
                "ids, scores and offsets: expected one of each a run");
  FASTCAL_CHECK(!norms || (norms->size() == ids.size() && value == FuseValue::score), "norms: expected one a run, of scores");
  std::vector<RunView> runs;
  runs.reserve(ids.size());
  for (std::size_t r = 0; r < ids.size(); ++r) {
    const auto run_ids = flat<std::int64_t>(ids[r], "ids");
    const Offsets run_offsets = offsets_view(offsets[r], run_ids.size());
    FASTCAL_CHECK(run_offsets.size() == n_queries + 1, "offsets: expected the same number of queries in every run");
    const float* run_scores = nullptr;
    if (scores[r]) {
      const auto view = flat<float>(*scores[r], "scores");
      FASTCAL_CHECK(view.size() == run_ids.size(), "scores: expected one an id");
      run_scores = view.data();
    }
    FASTCAL_CHECK(run_scores != nullptr || value != FuseValue::score, "scores: needed by this method");
    runs.push_back({run_ids.data(), run_scores, run_offsets, std::nullopt});
    if (norms && (*norms)[r]) runs.back().norm = rule_of(*(*norms)[r]);
  }
  return runs;
}

std::size_t room_for(const FusionPlan& plan) {
  std::size_t room = 0;
  for (std::size_t query = 0; query < plan.n_queries(); ++query) {
    std::size_t most = 0;
    for (std::size_t r = 0; r < plan.runs.size(); ++r) most += plan.length(r, query);
    FASTCAL_CHECK(most < (std::size_t{1} << 31), "ids: more than 2**31 entries in one query");
    room += plan.top_k < 0 ? most : std::min(most, static_cast<std::size_t>(plan.top_k));
  }
  return room;
}

FusedOutput output(const FusionPlan& plan, std::span<std::int64_t> offsets, py::array& ids, py::array& scores,
                   std::optional<py::array>& entries, std::optional<py::array>& terms) {
  const auto out_ids = flat_out<std::int64_t>(ids, "out_ids");
  const auto out_scores = flat_out<float>(scores, "out_scores");
  FASTCAL_CHECK(out_ids.size() >= room_for(plan) && out_ids.size() == out_scores.size(), "out_ids, out_scores: too little room");
  FusedOutput out{offsets.data(), out_ids.data(), out_scores.data(), nullptr, nullptr};
  FASTCAL_CHECK(entries.has_value() == terms.has_value(), "out_entries, out_terms: expected both or neither");
  if (entries) {
    const auto out_entries = flat_out<std::int64_t>(*entries, "out_entries");
    const auto out_terms = flat_out<double>(*terms, "out_terms");
    FASTCAL_CHECK(out_entries.size() == out_ids.size() * plan.runs.size() && out_terms.size() == out_entries.size(),
                  "out_entries, out_terms: expected (room, n_runs)");
    out.entries = out_entries.data();
    out.terms = out_terms.data();
  }
  return out;
}

std::int64_t engine_fuse(const Engine& self, const Arrays& ids, const OptionalArrays& scores, const Arrays& offsets, const Norms& norms,
                         const py::array& weights, const py::array& factors, std::string_view value, std::string_view combine,
                         double parameter, double base, bool stretch, std::string_view missing, double fill, std::string_view duplicates,
                         std::string_view ties, std::int64_t top_k, py::array& out_offsets, py::array& out_ids, py::array& out_scores,
                         std::optional<py::array> out_entries, std::optional<py::array> out_terms, int num_threads) {
  const auto bounds = flat_out<std::int64_t>(out_offsets, "out_offsets");
  FASTCAL_CHECK(!bounds.empty(), "out_offsets: expected n_queries + 1");
  const std::size_t n_queries = bounds.size() - 1;
  const auto known_value = named<FuseValue>(value, kValues, "value");
  const auto shares = flat<double>(weights, "weights");
  const auto scales = flat<double>(factors, "factors");
  FASTCAL_CHECK(weights.ndim() == 2 && extent_of(weights, 1) == ids.size(), "weights: expected one a run in each row");
  FASTCAL_CHECK(extent_of(weights, 0) == 1 || extent_of(weights, 0) == n_queries, "weights: expected one row, or one a query");
  FASTCAL_CHECK(scales.size() == ids.size() + 1, "factors: expected n_runs + 1");
  const FusionPlan plan{run_views(ids, scores, offsets, norms, n_queries, known_value),
                        &self.kernels.f32,
                        shares.data(),
                        extent_of(weights, 0) == 1 ? 0 : ids.size(),
                        scales.data(),
                        known_value,
                        named<FuseCombine>(combine, kCombines, "combine"),
                        parameter,
                        base,
                        stretch,
                        named<FuseMissing>(missing, kMissing, "missing"),
                        fill,
                        named<FuseDuplicates>(duplicates, kDuplicates, "duplicates"),
                        named<FuseTies>(ties, kTies, "ties"),
                        top_k};
  const FusedOutput out = output(plan, bounds, out_ids, out_scores, out_entries, out_terms);
  return without_gil(num_threads, [&](const CallContext& context) { return fuse(plan, out, context); });
}

}  // namespace

void register_fusion(EngineClass& engine) {
  using py::arg;
  engine.def("fuse", &engine_fuse, arg("ids"), arg("scores"), arg("offsets"), arg("norms").none(true), arg("weights"), arg("factors"),
             arg("value"), arg("combine"), arg("parameter"), arg("base"), arg("stretch"), arg("missing"), arg("fill"), arg("duplicates"),
             arg("ties"), arg("top_k"), arg("out_offsets").noconvert(), arg("out_ids").noconvert(), arg("out_scores").noconvert(),
             arg("out_entries").noconvert(), arg("out_terms").noconvert(), arg("num_threads"));
}

}  // namespace fastcal::bindings
