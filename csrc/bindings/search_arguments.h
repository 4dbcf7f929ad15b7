// search_arguments.h -- what the searches take, as the core sees it.
#pragma once

#include <optional>
#include <string>
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

// One value of type T for each of n things, or nothing.
template <typename T>
const T* one_each(const OptionalArray& values, std::size_t n, const char* name) {
  if (!values) return nullptr;
  const auto view = flat<T>(*values, name);
  FASTCAL_CHECK(view.size() == n, std::string(name) + ": wrong length");
  return view.data();
}

inline const double* norms_of(const OptionalArray& norms, const Corpus& corpus) {
  return one_each<double>(norms, corpus.n_rows, "row_norms");
}

// allow: bool (1, n_rows) for all queries, or (n_queries, n_rows).
inline Gate gate_of(const OptionalArray& thresholds, const OptionalArray& allow, std::size_t n_queries, std::size_t n_rows) {
  Gate gate;
  gate.thresholds = one_each<float>(thresholds, n_queries, "thresholds");
  if (!allow) return gate;
  FASTCAL_CHECK(allow->ndim() == 2 && extent_of(*allow, 1) == n_rows, "allow: expected n_rows columns");
  const std::size_t masks = extent_of(*allow, 0);
  FASTCAL_CHECK(masks == 1 || masks == n_queries, "allow: expected one mask, or one a query");
  gate.allow = reinterpret_cast<const std::uint8_t*>(flat<bool>(*allow, "allow").data());
  gate.allow_stride = masks == 1 ? 0 : n_rows;
  return gate;
}

}  // namespace fastcal::bindings
