// register_vectors.cpp -- scores, rescore, row_norms, round_to_float32.
#include <pybind11/stl.h>

#include <string_view>

#include "bindings/arrays.h"
#include "bindings/engine.h"
#include "bindings/search_arguments.h"

namespace fastcal::bindings {
namespace {

Precision precision_of(std::string_view name) {
  if (name == "fast") return Precision::fast;
  FASTCAL_CHECK(name == "exact", "precision: expected 'fast' or 'exact'");
  return Precision::exact;
}

std::int64_t engine_scores(const Engine& self, const py::array& queries, const py::array& rows, const OptionalArray& row_norms,
                           std::string_view metric, std::string_view precision, py::array& out, int num_threads) {
  const Corpus corpus = corpus_view(rows);
  const QueryView view = queries_view(queries, corpus);
  const auto target = matrix_out<float>(out, "out");
  FASTCAL_CHECK(target.rows == view.n && target.columns == corpus.n_rows, "out: expected (n_queries, n_rows)");
  const double* norms = norms_of(row_norms, corpus);
  const Metric m = metric_of(metric);
  const Precision p = precision_of(precision);
  return without_gil(num_threads, [&](const CallContext& context) {
    return scores(self.kernels, view, corpus, norms, m, p, target.data, target.stride, context);
  });
}

std::int64_t engine_rescore(const Engine& self, const py::array& queries, const py::array& rows, const py::array& ids,
                            std::string_view metric, py::array& out, int num_threads) {
  const Corpus corpus = corpus_view(rows);
  const QueryView view = queries_view(queries, corpus);
  const auto target = matrix_out<float>(out, "out");
  const auto candidates = flat<std::int64_t>(ids, "ids");
  FASTCAL_CHECK(target.rows == view.n && candidates.size() == view.n * target.columns, "ids, out: expected (n_queries, m)");
  for (const std::int64_t id : candidates) FASTCAL_CHECK(id >= -1 && id < static_cast<std::int64_t>(corpus.n_rows), "ids: out of range");
  const Metric m = metric_of(metric);
  return without_gil(num_threads, [&](const CallContext& context) {
    return rescore(self.kernels, view, corpus, candidates.data(), target.columns, m, target.data, target.stride, context);
  });
}

std::int64_t engine_row_norms(const Engine& self, const py::array& rows, py::array& out, int num_threads) {
  const Corpus corpus = corpus_view(rows);
  const auto target = flat_out<double>(out, "out");
  FASTCAL_CHECK(target.size() == corpus.n_rows, "out: expected one norm a row");
  return without_gil(num_threads, [&](const CallContext& context) { return row_norms(self.kernels, corpus, target.data(), context); });
}

std::int64_t engine_round_to_float32(const Engine& self, const py::array& values, py::array& out, int num_threads) {
  FASTCAL_CHECK(values.ndim() == 2, "values: expected (n, m)");
  const auto source = flat<double>(values, "values");
  const auto target = flat_out<float>(out, "out");
  FASTCAL_CHECK(source.size() == target.size(), "out: expected the shape of values");
  return without_gil(num_threads, [&](const CallContext& context) {
    return round_to_float32(self.kernels, source.data(), extent_of(values, 0), extent_of(values, 1), target.data(), context);
  });
}

}  // namespace

void register_vectors(EngineClass& engine) {
  using py::arg;
  const py::kw_only kw_only;
  engine.def("scores", &engine_scores, arg("queries"), arg("corpus"), arg("row_norms").none(true), arg("metric"), arg("precision"),
             arg("out").noconvert(), kw_only, arg("num_threads"));
  engine.def("rescore", &engine_rescore, arg("queries"), arg("corpus"), arg("ids"), arg("metric"), arg("out").noconvert(), kw_only,
             arg("num_threads"));
  engine.def("row_norms", &engine_row_norms, arg("corpus"), arg("out").noconvert(), kw_only, arg("num_threads"));
  engine.def("round_to_float32", &engine_round_to_float32, arg("values"), arg("out").noconvert(), kw_only, arg("num_threads"));
}

}  // namespace fastcal::bindings
