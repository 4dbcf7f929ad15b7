// register_lists.cpp -- affine_lists, rank_lists, order_lists.
#include <pybind11/stl.h>

#include <optional>
#include <string_view>

#include "bindings/engine.h"
#include "bindings/list_arguments.h"
#include "core/lists.h"

namespace fastcal::bindings {
namespace {

// call(scores, offsets, out, context) with the element type of `scores`.
template <typename T, typename Call>
std::int64_t on_lists(const py::array& scores, const py::array& offsets, py::array& out, int num_threads, const Call& call) {
  const auto values = flat<T>(scores, "scores");
  const auto target = flat_out<T>(out, "out");
  FASTCAL_CHECK(values.size() == target.size(), "out: expected the size of scores");
  const Offsets lists = offsets_view(offsets, values.size());
  return without_gil(num_threads, [&](const CallContext& context) { return call(values.data(), lists, target.data(), context); });
}

std::int64_t engine_affine_lists(const Engine& self, const py::array& scores, const py::array& offsets, std::string_view kind,
                                 bool higher_is_better, std::int64_t ddof, double n_sigma, double eps, double tolerance, double on_constant,
                                 double on_single, const std::optional<py::array>& given, py::array& out, int num_threads) {
  AffineRule rule{affine_kind(kind), higher_is_better, ddof, n_sigma, eps, tolerance, on_constant, on_single, nullptr};
  FASTCAL_CHECK(given || rule.kind != AffineKind::given, "given: needed by this kind");
  if (given) {
    const auto pairs = flat<double>(*given, "given");
    FASTCAL_CHECK(static_cast<py::ssize_t>(pairs.size()) == 2 * (offsets.size() - 1), "given: expected two numbers per list");
    rule.given = pairs.data();
  }
  const auto call = [&](const auto* values, Offsets lists, auto* target, const CallContext& context) {
    return affine_lists(self.kernels, values, lists, rule, target, context);
  };
  return holds<float>(scores) ? on_lists<float>(scores, offsets, out, num_threads, call)
                              : on_lists<double>(scores, offsets, out, num_threads, call);
}

Ties ties_of(std::string_view name) {
  if (name == "ordinal") return Ties::ordinal;
  FASTCAL_CHECK(name == "min" || name == "average", "ties: expected ordinal, min or average");
  return name == "min" ? Ties::min : Ties::average;
}

std::int64_t engine_rank_lists(const Engine&, const py::array& scores, const py::array& offsets, bool higher_is_better,
                               std::string_view ties, const std::optional<py::array>& pool, py::array& out, int num_threads) {
  RankRule rule{higher_is_better, ties_of(ties), nullptr};
  if (pool) {
    const auto numbers = flat<std::int64_t>(*pool, "pool");
    FASTCAL_CHECK(static_cast<py::ssize_t>(numbers.size()) == offsets.size() - 1, "pool: expected one number per list");
    rule.pool = numbers.data();
  }
  const auto call = [&](const auto* values, Offsets lists, auto* target, const CallContext& context) {
    return rank_lists(values, lists, rule, target, context);
  };
  return holds<float>(scores) ? on_lists<float>(scores, offsets, out, num_threads, call)
                              : on_lists<double>(scores, offsets, out, num_threads, call);
}

template <typename T>
void order(const py::array& scores, const py::array& offsets, py::array& out, int num_threads) {
  const auto values = flat<T>(scores, "scores");
  const auto positions = flat_out<std::int64_t>(out, "out");
  FASTCAL_CHECK(values.size() == positions.size(), "out: expected the size of scores");
  const Offsets lists = offsets_view(offsets, values.size());
  without_gil(num_threads, [&](const CallContext& context) { order_lists(values.data(), lists, positions.data(), context); });
}

void engine_order_lists(const Engine&, const py::array& scores, const py::array& offsets, py::array& out, int num_threads) {
  return holds<float>(scores) ? order<float>(scores, offsets, out, num_threads) : order<double>(scores, offsets, out, num_threads);
}

}  // namespace

void register_lists(EngineClass& engine) {
  using py::arg;
  const py::kw_only kw_only;
  engine.def("affine_lists", &engine_affine_lists, arg("scores"), arg("offsets"), arg("kind"), arg("higher_is_better"), arg("ddof"),
             arg("n_sigma"), arg("eps"), arg("tolerance"), arg("on_constant"), arg("on_single"), arg("given").none(true),
             arg("out").noconvert(), kw_only, arg("num_threads"));
  engine.def("rank_lists", &engine_rank_lists, arg("scores"), arg("offsets"), arg("higher_is_better"), arg("ties"), arg("pool").none(true),
             arg("out").noconvert(), kw_only, arg("num_threads"));
  engine.def("order_lists", &engine_order_lists, arg("scores"), arg("offsets"), arg("out").noconvert(), kw_only, arg("num_threads"));
}

}  // namespace fastcal::bindings
