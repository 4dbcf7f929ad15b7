// module.cpp -- fastcal._core: an Engine per instruction set, and what this build and this CPU offer.
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/engine.h"
#include "dispatch/dispatch.h"

namespace fastcal::bindings {
namespace {

namespace py = pybind11;

std::vector<std::string> isa_names(bool only_supported) {
  std::vector<std::string> names;
  for (const KernelTable* table : dispatch::compiled())
    if (!only_supported || dispatch::supported(*table)) names.emplace_back(table->name);
  return names;
}

Engine make_engine(const std::optional<std::string>& isa) {
  return {isa ? dispatch::by_name(*isa) : dispatch::active()};
}

}  // namespace

PYBIND11_MODULE(_core, module, py::mod_gil_not_used()) {
  module.doc() = "Native backend of fastcal; see fastcal/_backend/protocol.py for the contract of Engine.";
  remember_main_thread();
  py::module_::import("os").attr("register_at_fork")(py::arg("after_in_child") = py::cpp_function(&remember_main_thread));
  module.attr("__version__") = FASTCAL_VERSION;
  module.attr("compiler") = FASTCAL_COMPILER;
  module.def("compiled_isas", [] { return isa_names(false); });
  module.def("supported_isas", [] { return isa_names(true); });

  EngineClass engine(module, "Engine");
  engine.def(py::init(&make_engine), py::arg("isa") = py::none());
  engine.def_property_readonly("name", [](const Engine&) { return "native"; });
  engine.def_property_readonly("isa", [](const Engine& self) { return self.kernels.name; });
  register_vectors(engine);
  register_search(module, engine);
  register_bands(engine);
  register_lists(engine);
  register_grouped(engine);
  register_fusion(engine);
  register_calibration(engine);
  register_evidence(engine);
  register_storage(module, engine);
  register_runs(module, engine);
}

}  // namespace fastcal::bindings
