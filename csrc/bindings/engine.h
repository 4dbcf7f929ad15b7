// engine.h -- the object Python holds: one kernel table. Each register_* file adds the methods of one concept.
#pragma once

#include <pybind11/pybind11.h>

#include "kernels/kernel_table.h"

namespace fastcal::bindings {

struct Engine {
  const KernelTable& kernels;
};

using EngineClass = pybind11::class_<Engine>;

void register_vectors(EngineClass& engine);
void register_search(pybind11::module_& module, EngineClass& engine);
void register_bands(EngineClass& engine);
void register_lists(EngineClass& engine);
void register_grouped(EngineClass& engine);
void register_fusion(EngineClass& engine);
void register_calibration(EngineClass& engine);
void register_evidence(EngineClass& engine);
void register_storage(pybind11::module_& module, EngineClass& engine);
void register_runs(pybind11::module_& module, EngineClass& engine);

}  // namespace fastcal::bindings
