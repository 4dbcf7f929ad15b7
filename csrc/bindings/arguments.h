// arguments.h -- what the searches have in common: metric, queries, norms and sketch as the core takes them.
#pragma once

#include <optional>
#include <string_view>

#include "bindings/arrays.h"
#include "core/search.h"

namespace fastcal::bindings {

using OptionalArray = std::optional<py::array>;

inline Metric metric_of(std::string_view name) {
  if (name == "cosine") return Metric::cosine;
  if (name == "dot") return Metric::dot;
  FASTCAL_CHECK(name == "euclidean", "metric: expected 'cosine', 'dot' or 'euclidean'");
  return Metric::euclidean;
}

inline QueryView queries_view(const py::array& array, const Corpus& corpus) {
  FASTCAL_CHECK(array.ndim() == 2 && extent_of(array, 1) == corpus.dim, "queries: expected (n_queries, dim) of the corpus");
  return {flat<float>(array, "queries").data(), extent_of(array, 0)};
}

inline const double* norms_of(const OptionalArray& norms, const Corpus& corpus) {
  if (!norms) return nullptr;
  const auto view = flat<double>(*norms, "row_norms");
  FASTCAL_CHECK(view.size() == corpus.n_rows, "row_norms: expected one norm a row");
  return view.data();
}

inline void check_sketch(const Sketch* sketch, const Corpus& corpus, Metric metric) {
  FASTCAL_CHECK(
      sketch == nullptr || (sketch->metric() == metric && sketch->n_rows() == corpus.n_rows && sketch->layout().dim == corpus.dim),
      "sketch: made from another corpus or metric");
}

}  // namespace fastcal::bindings
