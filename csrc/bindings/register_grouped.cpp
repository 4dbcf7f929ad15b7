// register_grouped.cpp -- number_rows, top_rows, sift_rows, exact_moments.
#include <pybind11/stl.h>

#include <optional>

#include "bindings/arrays.h"
#include "bindings/engine.h"
#include "core/float_env.h"
#include "core/grouped.h"

namespace fastcal::bindings {
namespace {

template <typename Offset>
RowKeys texts_view(const py::array& values, const py::array& offsets, std::size_t n) {
  const auto bytes = flat<std::uint8_t>(values, "values");
  const auto bounds = flat<Offset>(offsets, "offsets");
  FASTCAL_CHECK(bounds.size() == n + 1, "offsets: expected one more than rows");
  FASTCAL_CHECK(bounds[0] >= 0 && static_cast<std::uint64_t>(bounds[n]) <= bytes.size(), "offsets: beyond the bytes");
  for (std::size_t i = 0; i < n; ++i) FASTCAL_CHECK(bounds[i] <= bounds[i + 1], "offsets: must not decrease");
  return TextKeys<Offset>{bounds.data(), reinterpret_cast<const char*>(bytes.data())};
}

RowKeys keys_view(const py::array& values, const std::optional<py::array>& offsets, std::size_t n) {
  FASTCAL_CHECK(n <= kMostRows, "too many rows");
  if (offsets)
    return holds<std::int32_t>(*offsets) ? texts_view<std::int32_t>(values, *offsets, n) : texts_view<std::int64_t>(values, *offsets, n);
  const auto integers = flat<std::int64_t>(values, "values");
  FASTCAL_CHECK(integers.size() == n, "values: expected one per row");
  return IntegerKeys{integers.data()};
}

std::span<const std::int32_t> codes_view(const py::array& array, std::size_t groups) {
  const auto codes = flat<std::int32_t>(array, "codes");
  bool fit = codes.size() <= kMostRows;
  for (const std::int32_t code : codes) fit &= static_cast<std::size_t>(static_cast<std::uint32_t>(code)) < groups;
  FASTCAL_CHECK(fit, "codes: expected numbers of groups");
  return codes;
}

std::size_t engine_number_rows(const Engine&, const py::array& values, const std::optional<py::array>& offsets, py::array& out_codes,
                               py::array& out_firsts) {
  const auto codes = flat_out<std::int32_t>(out_codes, "out_codes"), firsts = flat_out<std::int32_t>(out_firsts, "out_firsts");
  FASTCAL_CHECK(codes.size() == firsts.size(), "out_firsts: expected the size of out_codes");
  const RowKeys keys = keys_view(values, offsets, codes.size());
  return without_gil(
      1, [&](const CallContext& context) { return number_rows(keys, codes.size(), codes.data(), firsts.data(), context.stop); });
}

std::size_t engine_top_rows(const Engine&, const py::array& codes, std::size_t groups, const py::array& on, const py::array& scores,
                            bool higher_is_better, const std::optional<py::array>& keep, const py::array& doc_values,
                            const std::optional<py::array>& doc_offsets, std::size_t most, py::array& out, int num_threads) {
  const auto of = codes_view(codes, groups);
  const auto ranked_on = flat<float>(on, "on"), values = flat<float>(scores, "scores");
  const auto kept = keep ? flat<bool>(*keep, "keep") : std::span<const bool>();
  const auto rows = flat_out<std::int32_t>(out, "out");
  FASTCAL_CHECK(
      ranked_on.size() == of.size() && values.size() == of.size() && rows.size() == of.size() && (!keep || kept.size() == of.size()),
      "on, scores, keep, out: expected the size of codes");
  FASTCAL_CHECK(most >= 1, "most: expected at least 1");
  const Ranking ranking{of,
                        groups,
                        ranked_on.data(),
                        values.data(),
                        higher_is_better,
                        reinterpret_cast<const std::uint8_t*>(kept.data()),
                        keys_view(doc_values, doc_offsets, of.size())};
  return without_gil(num_threads, [&](const CallContext& context) { return top_rows(ranking, most, rows.data(), context); });
}

std::size_t engine_sift_rows(const Engine&, const py::array& codes, const py::array& on, const py::array& scores, bool higher_is_better,
                             const py::array& places, py::array& keep, std::size_t depth, py::array& bars, py::array& keys,
                             py::array& sizes) {
  const auto at = flat<std::int64_t>(places, "places");
  const auto of = codes_view(codes, at.size());
  const auto ranked_on = flat<float>(on, "on"), values = flat<float>(scores, "scores");
  const auto kept = flat_out<bool>(keep, "keep");
  FASTCAL_CHECK(ranked_on.size() == of.size() && values.size() == of.size() && kept.size() == of.size(),
                "on, scores, keep: expected the size of codes");
  const auto best_bars = flat_out<std::uint64_t>(bars, "bars"), best_keys = flat_out<std::uint64_t>(keys, "keys");
  const auto counts = flat_out<std::int32_t>(sizes, "sizes");
  const std::size_t queries = best_bars.size(), room = queries == 0 ? depth + 1 : best_keys.size() / queries;
  FASTCAL_CHECK(depth >= 1 && room > depth && best_keys.size() == queries * room && counts.size() == queries,
                "bars, keys, sizes: expected one row per query, of more keys than depth");
  for (const std::int64_t place : at) FASTCAL_CHECK(place < static_cast<std::int64_t>(queries), "places: beyond the queries");
  for (const std::int32_t size : counts) FASTCAL_CHECK(size >= 0 && static_cast<std::size_t>(size) < room, "sizes: beyond the keys");
  const Ranking ranking{of, at.size(), ranked_on.data(), values.data(), higher_is_better, nullptr, IntegerKeys{nullptr}};
  const BestSoFar best{depth, room, best_bars.data(), best_keys.data(), counts.data()};
  return without_gil(1, [&](const CallContext& context) {
    return sift_rows(ranking, at.data(), best, reinterpret_cast<std::uint8_t*>(kept.data()), context.stop);
  });
}

std::uint64_t* words(std::optional<py::array>& array, std::size_t size, const char* name) {
  if (!array) return nullptr;
  const auto view = flat_out<std::uint64_t>(*array, name);
  FASTCAL_CHECK(view.size() == size, std::string(name) + ": wrong size");
  return view.data();
}

std::int64_t engine_exact_moments(const Engine&, const py::array& codes, const py::array& scores, py::array& out_counts,
                                  py::array& out_least, py::array& out_greatest, std::optional<py::array> out_sums,
                                  std::optional<py::array> out_squares) {
  const auto counts = flat_out<std::int64_t>(out_counts, "out_counts");
  const auto least = flat_out<float>(out_least, "out_least"), greatest = flat_out<float>(out_greatest, "out_greatest");
  const std::size_t groups = counts.size();
  const auto of = codes_view(codes, groups);
  const auto values = flat<float>(scores, "scores");
  FASTCAL_CHECK(values.size() == of.size(), "scores: expected the size of codes");
  FASTCAL_CHECK(least.size() == groups && greatest.size() == groups, "out_least, out_greatest: expected the size of out_counts");
  const GroupMoments moments{counts.data(), least.data(), greatest.data(), words(out_sums, groups * kSumWords, "out_sums"),
                             words(out_squares, groups * kSquareWords, "out_squares")};
  return without_gil(1, [&](const CallContext& context) {
    const FloatEnvironment environment;
    return exact_moments(of, values.data(), groups, moments, context.stop);
  });
}

}  // namespace

void register_grouped(EngineClass& engine) {
  using py::arg;
  const py::kw_only kw_only;
  engine.def("number_rows", &engine_number_rows, arg("values"), arg("offsets").none(true), arg("out_codes").noconvert(),
             arg("out_firsts").noconvert());
  engine.def("top_rows", &engine_top_rows, arg("codes"), arg("groups"), arg("on"), arg("scores"), arg("higher_is_better"),
             arg("keep").none(true), arg("doc_values"), arg("doc_offsets").none(true), arg("most"), arg("out").noconvert(), kw_only,
             arg("num_threads"));
  engine.def("sift_rows", &engine_sift_rows, arg("codes"), arg("on"), arg("scores"), arg("higher_is_better"), arg("places"),
             arg("keep").noconvert(), arg("depth"), arg("bars").noconvert(), arg("keys").noconvert(), arg("sizes").noconvert());
  engine.def("exact_moments", &engine_exact_moments, arg("codes"), arg("scores"), arg("out_counts").noconvert(),
             arg("out_least").noconvert(), arg("out_greatest").noconvert(), arg("out_sums").none(true), arg("out_squares").none(true));
}

}  // namespace fastcal::bindings
