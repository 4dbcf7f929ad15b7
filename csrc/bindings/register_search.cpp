// register_search.cpp -- topk, range_search, sketch.
#include <pybind11/stl.h>

#include <optional>
#include <string_view>

#include "bindings/engine.h"
#include "bindings/search_arguments.h"
#include "core/float_env.h"

namespace fastcal::bindings {
namespace {

// What a range search found, until the caller has allocated room for it.
struct FoundRange {
  RangeHits range;
  float sign;

  // offsets: (n_queries + 1); scores and ids: the rows found.
  void write(py::array& out_offsets, py::array& out_scores, py::array& out_ids) const {
    const FloatEnvironment environment;
    const auto offsets = flat_out<std::int64_t>(out_offsets, "out_offsets");
    const auto scores = flat_out<float>(out_scores, "out_scores");
    const auto ids = flat_out<std::int64_t>(out_ids, "out_ids");
    FASTCAL_CHECK(offsets.size() == range.hits.size() + 1 && scores.size() == range.found && ids.size() == range.found,
                  "out: expected (n_queries + 1), (found), (found)");
    std::size_t position = 0;
    for (std::size_t q = 0; q < range.hits.size(); ++q) {
      offsets[q] = static_cast<std::int64_t>(position);
      for (const Hit& hit : range.hits[q]) {
        scores[position] = sign * hit.key + 0.0f;
        ids[position++] = hit.id;
      }
    }
    offsets[range.hits.size()] = static_cast<std::int64_t>(position);
  }
};

// pybind11 searches None for attributes of foreign types before it takes it for a null pointer (1 us).
const Sketch* sketch_of(const py::object& sketch) {
  return sketch.is_none() ? nullptr : sketch.cast<const Sketch*>();
}

SearchTask task_of(const Engine& self, const py::array& queries, const Corpus& corpus, const OptionalArray& row_norms,
                   std::string_view metric, const OptionalArray& ids, const OptionalArray& thresholds, const OptionalArray& allow,
                   const Sketch* sketch) {
  const QueryView view = queries_view(queries, corpus);
  const Metric m = metric_of(metric);
  check_sketch(sketch, corpus, m);
  return {self.kernels,
          view,
          corpus,
          m,
          norms_of(row_norms, corpus),
          one_each<std::int64_t>(ids, corpus.n_rows, "ids"),
          sketch,
          gate_of(thresholds, allow, view.n, corpus.n_rows)};
}

std::int64_t engine_topk(const Engine& self, const py::array& queries, const py::array& rows, const OptionalArray& row_norms,
                         std::string_view metric, const OptionalArray& ids, py::array& out_scores, py::array& out_ids, int num_threads,
                         const py::object& made, const OptionalArray& thresholds, const OptionalArray& allow) {
  const Sketch* sketch = sketch_of(made);
  const Corpus corpus = corpus_view(rows, sketch);
  const SearchTask task = task_of(self, queries, corpus, row_norms, metric, ids, thresholds, allow, sketch);
  const auto score_rows = matrix_out<float>(out_scores, "out_scores");
  const auto id_rows = matrix_out<std::int64_t>(out_ids, "out_ids");
  FASTCAL_CHECK(
      score_rows.rows == task.queries.n && id_rows.rows == task.queries.n && score_rows.columns == id_rows.columns && id_rows.columns >= 1,
      "out: expected (n_queries, k) twice");
  const TopKOutput out{score_rows.data, id_rows.data, score_rows.stride, id_rows.stride, id_rows.columns};
  return without_gil(num_threads, [&](const CallContext& context) { return topk(task, out, context); });
}

FoundRange engine_range_search(const Engine& self, const py::array& queries, const py::array& rows, const OptionalArray& row_norms,
                               std::string_view metric, const OptionalArray& ids, const py::array& thresholds, std::size_t limit,
                               int num_threads, const Sketch* sketch, const OptionalArray& allow) {
  const Corpus corpus = corpus_view(rows, sketch);
  const SearchTask task = task_of(self, queries, corpus, row_norms, metric, ids, thresholds, allow, sketch);
  return {without_gil(num_threads, [&](const CallContext& context) { return range_search(task, limit, context); }),
          task.metric == Metric::euclidean ? -1.0f : 1.0f};
}

std::pair<std::unique_ptr<Sketch>, std::int64_t> engine_sketch(const Engine& self, const py::array& rows, std::string_view metric,
                                                               py::array& out_norms, int num_threads, const py::object& progress,
                                                               std::optional<py::array> out_digests) {
  const Corpus corpus = corpus_view(rows);
  const Metric m = metric_of(metric);
  const auto norms = flat_out<double>(out_norms, "out_norms");
  FASTCAL_CHECK(norms.size() == corpus.n_rows, "out_norms: expected one norm a row");
  std::uint64_t* digests = nullptr;
  if (out_digests) {
    const auto target = flat_out<std::uint64_t>(*out_digests, "out_digests");
    FASTCAL_CHECK(target.size() == corpus.n_rows, "out_digests: expected one digest a row");
    digests = target.data();
  }
  std::atomic<std::size_t> done{0};
  auto sketch = std::make_unique<Sketch>(corpus.dim, corpus.n_rows, m);
  const std::int64_t bad = without_gil(
      num_threads, [&](const CallContext& context) { return sketch->build(self.kernels, corpus, norms.data(), done, context, digests); },
      Reporter(progress, done, corpus.n_rows));
  return {std::move(sketch), bad};
}

}  // namespace

void register_search(py::module_& module, EngineClass& engine) {
  using py::arg;
  const py::kw_only kw_only;
  py::class_<FoundRange>(module, "FoundRange")
      .def_property_readonly("bad", [](const FoundRange& self) { return self.range.bad; })
      .def_property_readonly("found", [](const FoundRange& self) { return self.range.found; })
      .def("write", &FoundRange::write, arg("out_offsets").noconvert(), arg("out_scores").noconvert(), arg("out_ids").noconvert());
  engine.def("sketch", &engine_sketch, arg("corpus"), arg("metric"), arg("out_norms").noconvert(), kw_only, arg("num_threads"),
             arg("progress") = py::none(), arg("out_digests").noconvert() = py::none());
  engine.def("topk", &engine_topk, arg("queries"), arg("corpus"), arg("row_norms").none(true), arg("metric"), arg("ids").none(true),
             arg("out_scores").noconvert(), arg("out_ids").noconvert(), arg("num_threads"), arg("sketch") = py::none(),
             arg("thresholds") = py::none(), arg("allow") = py::none());
  engine.def("range_search", &engine_range_search, arg("queries"), arg("corpus"), arg("row_norms").none(true), arg("metric"),
             arg("ids").none(true), arg("thresholds"), arg("limit"), kw_only, arg("num_threads"), arg("sketch") = py::none(),
             arg("allow") = py::none());
}

}  // namespace fastcal::bindings
