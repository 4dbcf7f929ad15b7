// register_bands.cpp -- histogram, sample_bands.
#include <pybind11/stl.h>

#include <optional>
#include <string_view>

#include "bindings/engine.h"
#include "bindings/search_arguments.h"
#include "core/bands.h"
#include "core/float_env.h"

namespace fastcal::bindings {
namespace {

BandsView bands_view(const py::array& edges) {
  const FloatEnvironment environment;
  const auto view = flat<float>(edges, "edges");
  FASTCAL_CHECK(view.size() >= 2, "edges: expected at least two");
  for (std::size_t i = 1; i < view.size(); ++i) FASTCAL_CHECK(view[i - 1] < view[i], "edges: must be strictly increasing");
  return {view.data(), view.size()};
}

std::int64_t engine_histogram(const Engine& self, const py::array& queries, const py::array& rows, const OptionalArray& row_norms,
                              std::string_view metric, const py::array& edges, py::array& out_counts, int num_threads,
                              const Sketch* sketch) {
  const Corpus corpus = corpus_view(rows, sketch);
  const QueryView view = queries_view(queries, corpus);
  const BandsView bands = bands_view(edges);
  const auto counts = flat_out<std::int64_t>(out_counts, "out_counts");
  FASTCAL_CHECK(counts.size() == view.n * (bands.n - 1), "out_counts: expected (n_queries, n_bins)");
  const double* norms = norms_of(row_norms, corpus);
  const Metric m = metric_of(metric);
  check_sketch(sketch, corpus, m);
  return without_gil(num_threads, [&](const CallContext& context) {
    return histogram(self.kernels, view, corpus, norms, m, bands, sketch, counts.data(), context);
  });
}

std::int64_t engine_sample_bands(const Engine& self, const py::array& queries, const py::array& rows, const OptionalArray& row_norms,
                                 std::string_view metric, const py::array& edges, std::uint64_t seed, std::int64_t first_row,
                                 py::array& out_counts, py::array& out_rows, py::array& out_scores, py::array& out_priorities,
                                 int num_threads, const Sketch* sketch) {
  const Corpus corpus = corpus_view(rows, sketch);
  const QueryView view = queries_view(queries, corpus);
  const BandsView bands = bands_view(edges);
  const auto counts = flat_out<std::int64_t>(out_counts, "out_counts");
  const auto picked = flat_out<std::int64_t>(out_rows, "out_rows");
  const auto scores = flat_out<float>(out_scores, "out_scores");
  const auto priorities = flat_out<std::uint64_t>(out_priorities, "out_priorities");
  const std::size_t lists = view.n * (bands.n - 1);
  FASTCAL_CHECK(out_rows.ndim() == 3 && out_rows.shape(2) >= 1 && first_row >= 0, "out_rows: expected (n_queries, n_bins, size)");
  const std::size_t size = extent_of(out_rows, 2);
  FASTCAL_CHECK(
      counts.size() == lists && picked.size() == lists * size && scores.size() == picked.size() && priorities.size() == picked.size(),
      "outputs: expected (n_queries, n_bins) and three times (n_queries, n_bins, size)");
  const double* norms = norms_of(row_norms, corpus);
  const Metric m = metric_of(metric);
  check_sketch(sketch, corpus, m);
  const BandSampleOutput out{counts.data(), picked.data(), scores.data(), priorities.data(), size};
  return without_gil(num_threads, [&](const CallContext& context) {
    return sample_bands(self.kernels, view, corpus, norms, m, bands, seed, first_row, sketch, out, context);
  });
}

}  // namespace

void register_bands(EngineClass& engine) {
  using py::arg;
  const py::kw_only kw_only;
  engine.def("histogram", &engine_histogram, arg("queries"), arg("corpus"), arg("row_norms").none(true), arg("metric"), arg("edges"),
             arg("out_counts").noconvert(), kw_only, arg("num_threads"), arg("sketch") = py::none());
  engine.def("sample_bands", &engine_sample_bands, arg("queries"), arg("corpus"), arg("row_norms").none(true), arg("metric"), arg("edges"),
             arg("seed"), arg("first_row"), arg("out_counts").noconvert(), arg("out_rows").noconvert(), arg("out_scores").noconvert(),
             arg("out_priorities").noconvert(), kw_only, arg("num_threads"), arg("sketch") = py::none());
}

}  // namespace fastcal::bindings
