// register_search.cpp -- scores, topk, rescore, row_norms, round_to_float32.
#include <pybind11/stl.h>

#include <optional>
#include <string_view>

#include "bindings/arrays.h"
#include "bindings/engine.h"
#include "core/search.h"

namespace fastcal::bindings {
namespace {

using OptionalArray = std::optional<py::array>;

Metric metric_of(std::string_view name) {
  if (name == "cosine") return Metric::cosine;
  if (name == "dot") return Metric::dot;
  FASTCAL_CHECK(name == "euclidean", "metric: expected 'cosine', 'dot' or 'euclidean'");
  return Metric::euclidean;
}

Precision precision_of(std::string_view name) {
  if (name == "fast") return Precision::fast;
  FASTCAL_CHECK(name == "exact", "precision: expected 'fast' or 'exact'");
  return Precision::exact;
}

QueryView queries_view(const py::array& array, const Corpus& corpus) {
  FASTCAL_CHECK(array.ndim() == 2 && extent_of(array, 1) == corpus.dim, "queries: expected (n_queries, dim) of the corpus");
  return {flat<float>(array, "queries").data(), extent_of(array, 0)};
}

const double* norms_of(const OptionalArray& norms, const Corpus& corpus) {
  if (!norms) return nullptr;
  const auto view = flat<double>(*norms, "row_norms");
  FASTCAL_CHECK(view.size() == corpus.n_rows, "row_norms: expected one norm a row");
  return view.data();
}

// pybind11 searches None for attributes of foreign types before it takes it for a null pointer (1 us).
const Sketch* sketch_of(const py::object& sketch) {
  return sketch.is_none() ? nullptr : sketch.cast<const Sketch*>();
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

std::int64_t engine_topk(const Engine& self, const py::array& queries, const py::array& rows, const OptionalArray& row_norms,
                         std::string_view metric, const OptionalArray& ids, py::array& out_scores, py::array& out_ids, int num_threads,
                         const py::object& made) {
  const Sketch* sketch = sketch_of(made);
  const Corpus corpus = corpus_view(rows);
  const QueryView view = queries_view(queries, corpus);
  const auto score_rows = matrix_out<float>(out_scores, "out_scores");
  const auto id_rows = matrix_out<std::int64_t>(out_ids, "out_ids");
  FASTCAL_CHECK(score_rows.rows == view.n && id_rows.rows == view.n && score_rows.columns == id_rows.columns && id_rows.columns >= 1,
                "out: expected (n_queries, k) twice");
  const double* norms = norms_of(row_norms, corpus);
  const std::int64_t* external = nullptr;
  if (ids) {
    const auto list = flat<std::int64_t>(*ids, "ids");
    FASTCAL_CHECK(list.size() == corpus.n_rows, "ids: expected one id a row");
    external = list.data();
  }
  const Metric m = metric_of(metric);
  FASTCAL_CHECK(sketch == nullptr || (sketch->metric() == m && sketch->n_rows() == corpus.n_rows && sketch->layout().dim == corpus.dim),
                "sketch: made from another corpus or metric");
  const TopKOutput out{score_rows.data, id_rows.data, score_rows.stride, id_rows.stride, id_rows.columns};
  return without_gil(
      num_threads, [&](const CallContext& context) { return topk(self.kernels, view, corpus, norms, m, external, sketch, out, context); });
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

std::pair<std::unique_ptr<Sketch>, std::int64_t> engine_sketch(const Engine& self, const py::array& rows, std::string_view metric,
                                                               py::array& out_norms, int num_threads, const py::object& progress) {
  const Corpus corpus = corpus_view(rows);
  const Metric m = metric_of(metric);
  const auto norms = flat_out<double>(out_norms, "out_norms");
  FASTCAL_CHECK(norms.size() == corpus.n_rows, "out_norms: expected one norm a row");
  std::atomic<std::size_t> done{0};
  auto sketch = std::make_unique<Sketch>(corpus.dim, corpus.n_rows, m);
  const std::int64_t bad = without_gil(
      num_threads, [&](const CallContext& context) { return sketch->build(self.kernels, corpus, norms.data(), done, context); },
      Reporter(progress, done, corpus.n_rows));
  if (!progress.is_none()) progress(corpus.n_rows, corpus.n_rows);
  return {std::move(sketch), bad};
}

}  // namespace

void register_search(EngineClass& engine) {
  using py::arg;
  const py::kw_only kw_only;
  engine.def("sketch", &engine_sketch, arg("corpus"), arg("metric"), arg("out_norms").noconvert(), kw_only, arg("num_threads"),
             arg("progress") = py::none());
  engine.def("scores", &engine_scores, arg("queries"), arg("corpus"), arg("row_norms").none(true), arg("metric"), arg("precision"),
             arg("out").noconvert(), kw_only, arg("num_threads"));
  engine.def("topk", &engine_topk, arg("queries"), arg("corpus"), arg("row_norms").none(true), arg("metric"), arg("ids").none(true),
             arg("out_scores").noconvert(), arg("out_ids").noconvert(), arg("num_threads"), arg("sketch") = py::none());
  engine.def("rescore", &engine_rescore, arg("queries"), arg("corpus"), arg("ids"), arg("metric"), arg("out").noconvert(), kw_only,
             arg("num_threads"));
  engine.def("row_norms", &engine_row_norms, arg("corpus"), arg("out").noconvert(), kw_only, arg("num_threads"));
  engine.def("round_to_float32", &engine_round_to_float32, arg("values"), arg("out").noconvert(), kw_only, arg("num_threads"));
}

}  // namespace fastcal::bindings
