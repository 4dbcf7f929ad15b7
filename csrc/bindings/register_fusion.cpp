// register_fusion.cpp -- fuse.
#include <pybind11/stl.h>

#include <optional>
#include <string_view>
#include <vector>

#include "bindings/engine.h"
#include "bindings/list_arguments.h"
#include "core/fusion.h"

namespace fastcal::bindings {
namespace {

FuseMethod method_of(std::string_view name) {
  if (name == "rrf") return FuseMethod::rrf;
  FASTCAL_CHECK(name == "sum", "method: expected 'rrf' or 'sum'");
  return FuseMethod::sum;
}

std::vector<RunView> run_views(const std::vector<py::array>& ids, const std::vector<std::optional<py::array>>& scores,
                               const std::vector<py::array>& offsets, const py::array& weights, std::size_t n_queries, FuseMethod method) {
  const auto weight = flat<double>(weights, "weights");
  FASTCAL_CHECK(ids.size() == scores.size() && ids.size() == offsets.size() && ids.size() == weight.size(),
                "ids, scores, offsets and weights: expected one of each a run");
  std::vector<RunView> runs;
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
    FASTCAL_CHECK(run_scores != nullptr || method == FuseMethod::rrf, "scores: needed by this method");
    runs.push_back({run_ids.data(), run_scores, run_offsets, weight[r]});
  }
  return runs;
}

void engine_fuse(const Engine&, const std::vector<py::array>& ids, const std::vector<std::optional<py::array>>& scores,
                 const std::vector<py::array>& offsets, const py::array& weights, std::string_view method, double k, std::int64_t top_k,
                 const py::array& out_offsets, py::array& out_ids, py::array& out_scores, py::array& out_counts, int num_threads) {
  const auto counts = flat_out<std::int64_t>(out_counts, "out_counts");
  const auto fused_ids = flat_out<std::int64_t>(out_ids, "out_ids");
  const auto fused_scores = flat_out<float>(out_scores, "out_scores");
  FASTCAL_CHECK(fused_ids.size() == fused_scores.size(), "out_ids, out_scores: expected one size");
  const Offsets bounds = offsets_view(out_offsets, fused_ids.size());
  FASTCAL_CHECK(bounds.size() == counts.size() + 1, "out_counts: expected one a query");
  const FuseMethod m = method_of(method);
  const std::vector<RunView> runs = run_views(ids, scores, offsets, weights, counts.size(), m);
  for (std::size_t query = 0; query < counts.size(); ++query) {
    std::int64_t most = 0;
    for (const RunView& run : runs) most += run.offsets[query + 1] - run.offsets[query];
    if (top_k >= 0) most = std::min(most, top_k);
    FASTCAL_CHECK(bounds[query + 1] - bounds[query] >= most, "out_offsets: too little room for a query");
  }
  without_gil(num_threads, [&](const CallContext& context) {
    fuse(runs, m, k, top_k, {bounds, fused_ids.data(), fused_scores.data(), counts.data()}, context);
  });
}

}  // namespace

void register_fusion(EngineClass& engine) {
  using py::arg;
  const py::kw_only kw_only;
  engine.def("fuse", &engine_fuse, arg("ids"), arg("scores"), arg("offsets"), arg("weights"), arg("method"), arg("k"), arg("top_k"),
             arg("out_offsets"), arg("out_ids").noconvert(), arg("out_scores").noconvert(), arg("out_counts").noconvert(), kw_only,
             arg("num_threads"));
}

}  // namespace fastcal::bindings
