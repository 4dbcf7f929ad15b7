// register_storage.cpp -- what an index file needs: digests, a guard over mapped memory, the parts of a sketch.
#include <pybind11/stl.h>

#include "bindings/arrays.h"
#include "bindings/engine.h"
#include "bindings/search_arguments.h"
#include "core/digest.h"
#include "core/guard.h"
#include "core/sketch.h"

namespace fastcal::bindings {
namespace {

void engine_digests(const Engine& self, const py::array& rows, py::array& out, int num_threads) {
  FASTCAL_CHECK(rows.ndim() == 2, "rows: expected two dimensions");
  FASTCAL_CHECK(rows.size() == 0 || rows.shape(1) == 1 || rows.strides(1) == rows.itemsize(), "rows: rows must be contiguous");
  const auto target = flat_out<std::uint64_t>(out, "out");
  FASTCAL_CHECK(target.size() == extent_of(rows, 0), "out: expected one digest a row");
  const ByteRows view{static_cast<const std::byte*>(rows.data()), rows.strides(0), target.size(),
                      extent_of(rows, 1) * static_cast<std::size_t>(rows.itemsize())};
  without_gil(num_threads, [&](const CallContext& context) { digest_rows(self.kernels, view, target.data(), context); });
}

std::unique_ptr<Guard> engine_guard(const Engine& self, const py::array& data, std::size_t chunk, const py::array& table,
                                    const std::string& name, std::size_t origin) {
  const auto bytes = flat<std::uint8_t>(data, "data");
  const auto digests = flat<std::uint64_t>(table, "table");
  FASTCAL_CHECK(chunk >= 1 && digests.size() == (bytes.size() + chunk - 1) / chunk, "table: expected one digest a chunk");
  return std::make_unique<Guard>(self.kernels, std::as_bytes(bytes), chunk, digests, name, origin);
}

// Views of memory that the sketch holds.
py::dict sketch_parts(const py::object& self) {
  const auto& sketch = self.cast<const Sketch&>();
  const auto view = [&](const auto* data, std::size_t n) {
    py::array array(py::dtype::of<std::remove_cvref_t<decltype(*data)>>(), {n}, {}, data, self);
    array.attr("flags").attr("writeable") = false;
    return array;
  };
  py::dict parts;
  parts["sketch4"] = view(sketch.records4(), sketch.n_blocks() * sketch.layout().record4());
  parts["sketch7"] = view(sketch.records7(), sketch.n_blocks() * sketch.layout().record7());
  parts["centre"] = view(sketch.frame().centre.data(), sketch.frame().centre.size());
  parts["direction"] = view(sketch.frame().direction.data(), sketch.frame().direction.size());
  return parts;
}

std::unique_ptr<Sketch> engine_open_sketch(const Engine&, std::int64_t n_rows, std::string_view metric, const py::array& sketch4,
                                           const py::array& sketch7, const py::array& centre, const py::array& direction,
                                           const Guard* guard) {
  const auto records4 = flat<std::uint8_t>(sketch4, "sketch4"), records7 = flat<std::uint8_t>(sketch7, "sketch7");
  FASTCAL_CHECK(n_rows >= 0, "n_rows: must not be negative");
  const auto middle = flat<float>(centre, "centre"), along = flat<float>(direction, "direction");
  FASTCAL_CHECK(!middle.empty() && middle.size() == along.size(), "centre, direction: expected one float a dimension");
  SketchFrame frame(middle.size(), metric_of(metric));
  frame.centre.assign(middle.begin(), middle.end());
  frame.direction.assign(along.begin(), along.end());
  auto sketch = std::make_unique<Sketch>(static_cast<std::size_t>(n_rows), std::move(frame), records4.data(), records7.data(), guard);
  FASTCAL_CHECK(records4.size() == sketch->n_blocks() * sketch->layout().record4(), "sketch4: wrong size");
  FASTCAL_CHECK(records7.size() == sketch->n_blocks() * sketch->layout().record7(), "sketch7: wrong size");
  return sketch;
}

// fastcal.errors holds the words of this error: the same ones whoever finds the damage.
void translate_damage(std::exception_ptr failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const DamagedBytes& damage) {
    const py::object error = py::module_::import("fastcal.errors").attr("damaged_bytes")(py::bytes(damage.name), damage.begin, damage.end);
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
  }
}

}  // namespace

void register_storage(py::module_& module, EngineClass& engine) {
  using py::arg;
  const py::kw_only kw_only;
  py::class_<Guard>(module, "Guard");
  py::class_<Sketch>(module, "Sketch").def_property_readonly("nbytes", &Sketch::bytes).def("parts", &sketch_parts);
  py::register_local_exception_translator(&translate_damage);
  engine.def("digests", &engine_digests, arg("rows"), arg("out").noconvert(), kw_only, arg("num_threads"));
  engine.def("guard", &engine_guard, arg("data").noconvert(), arg("chunk"), arg("table").noconvert(), arg("name"), arg("origin"),
             py::keep_alive<0, 2>(), py::keep_alive<0, 4>());
  engine.def("open_sketch", &engine_open_sketch, arg("n_rows"), arg("metric"), arg("sketch4").noconvert(), arg("sketch7").noconvert(),
             arg("centre").noconvert(), arg("direction").noconvert(), arg("guard").none(true), py::keep_alive<0, 4>(),
             py::keep_alive<0, 5>(), py::keep_alive<0, 8>());
}

}  // namespace fastcal::bindings
