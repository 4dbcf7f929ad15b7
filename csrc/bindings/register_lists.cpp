// register_lists.cpp -- minmax, zscore.
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

std::int64_t engine_minmax(const Engine& self, const py::array& scores, const py::array& offsets, double on_constant, py::array& out,
                           int num_threads) {
  const auto call = [&](const auto* values, Offsets lists, auto* target, const CallContext& context) {
    return minmax(self.kernels, values, lists, on_constant, target, context);
  };
  return holds<float>(scores) ? on_lists<float>(scores, offsets, out, num_threads, call)
                              : on_lists<double>(scores, offsets, out, num_threads, call);
}

std::int64_t engine_zscore(const Engine& self, const py::array& scores, const py::array& offsets, std::int64_t ddof, py::array& out,
                           int num_threads) {
  const auto call = [&](const auto* values, Offsets lists, auto* target, const CallContext& context) {
    return zscore(self.kernels, values, lists, ddof, target, context);
  };
  return holds<float>(scores) ? on_lists<float>(scores, offsets, out, num_threads, call)
                              : on_lists<double>(scores, offsets, out, num_threads, call);
}

}  // namespace

void register_lists(EngineClass& engine) {
  using py::arg;
  const py::kw_only kw_only;
  engine.def("minmax", &engine_minmax, arg("scores"), arg("offsets"), arg("on_constant"), arg("out").noconvert(), kw_only,
             arg("num_threads"));
  engine.def("zscore", &engine_zscore, arg("scores"), arg("offsets"), arg("ddof"), arg("out").noconvert(), kw_only, arg("num_threads"));
}

}  // namespace fastcal::bindings
