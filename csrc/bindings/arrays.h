// arrays.h -- NumPy arrays as the views the core takes. Everything here is a last resort: fastcal/_validate has judged
// the arrays before, in words meant for users.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/check.h"
#include "core/corpus.h"
#include "core/parallel.h"
#include "core/sketch.h"

namespace fastcal::bindings {

namespace py = pybind11;

// Type numbers settle the usual case (2 ns against 60); other names of the same type (long, long long) are NumPy's to judge.
template <typename T>
bool holds(const py::array& array) {
  const auto* descriptor = py::detail::array_descriptor_proxy(py::detail::array_proxy(array.ptr())->descr);
  const bool native = descriptor->byteorder == '=' || descriptor->byteorder == '|';
  return (native && descriptor->type_num == py::dtype::num_of<T>()) || py::isinstance<py::array_t<T>>(array);
}

inline std::size_t extent_of(const py::array& array, int axis) {
  return static_cast<std::size_t>(array.shape(axis));
}

// A flat, contiguous, read-only view.
template <typename T>
std::span<const T> flat(const py::array& array, const char* name) {
  FASTCAL_CHECK(holds<T>(array) && (array.flags() & py::array::c_style) != 0, std::string(name) + ": wrong dtype or layout");
  return {static_cast<const T*>(array.data()), static_cast<std::size_t>(array.size())};
}

template <typename T>
std::span<T> flat_out(py::array& array, const char* name) {
  FASTCAL_CHECK(holds<T>(array) && (array.flags() & py::array::c_style) != 0, std::string(name) + ": wrong dtype or layout");
  FASTCAL_CHECK(array.writeable(), std::string(name) + ": is read-only");
  return {static_cast<T*>(array.mutable_data()), static_cast<std::size_t>(array.size())};
}

// A (rows, columns) output whose rows may be strided.
template <typename T>
struct MatrixOut {
  T* data;
  std::size_t rows, columns, stride;  // stride in elements
};

template <typename T>
MatrixOut<T> matrix_out(py::array& array, const char* name) {
  FASTCAL_CHECK(holds<T>(array) && array.ndim() == 2 && array.writeable(), std::string(name) + ": expected a writeable matrix");
  constexpr auto kSize = static_cast<py::ssize_t>(sizeof(T));
  if (array.size() == 0) return {nullptr, extent_of(array, 0), extent_of(array, 1), extent_of(array, 1)};
  const bool rows_contiguous = array.shape(1) <= 1 || array.strides(1) == kSize;
  const bool strided = array.shape(0) <= 1 || (array.strides(0) >= array.shape(1) * kSize && array.strides(0) % kSize == 0);
  FASTCAL_CHECK(rows_contiguous && strided, std::string(name) + ": rows must be contiguous and must not overlap");
  return {static_cast<T*>(array.mutable_data()), extent_of(array, 0), extent_of(array, 1),
          static_cast<std::size_t>(array.shape(0) <= 1 ? array.shape(1) : array.strides(0) / kSize)};
}

inline Corpus corpus_view(const py::array& array) {
  FASTCAL_CHECK(array.ndim() == 2 && array.shape(1) >= 1, "corpus: expected (n_rows, dim) with dim >= 1");
  const bool whole = holds<float>(array), half = !whole && array.dtype().kind() == 'f' && array.itemsize() == 2;
  FASTCAL_CHECK(whole || half || holds<std::uint16_t>(array), "corpus: expected float32, float16 or bfloat16 bits");
  FASTCAL_CHECK(array.size() == 0 || array.shape(1) == 1 || array.strides(1) == array.itemsize(), "corpus: rows must be contiguous");
  FASTCAL_CHECK(array.strides(0) % array.itemsize() == 0, "corpus: rows must be aligned");
  const Element element = whole ? Element::float32 : (half ? Element::float16 : Element::bfloat16);
  return {static_cast<const std::byte*>(array.data()), array.strides(0), extent_of(array, 0), extent_of(array, 1), element};
}

// Rows searched through a sketch are guarded with it.
inline Corpus corpus_view(const py::array& array, const Sketch* sketch) {
  Corpus corpus = corpus_view(array);
  if (sketch != nullptr) corpus.guard = sketch->guard();
  return corpus;
}

// Python runs signal handlers on its main thread alone. Other threads must not even ask for the GIL in the middle of a call:
// while the interpreter shuts down, that ends the thread on the spot, through frames that cannot be unwound.
inline std::thread::id& main_thread() {
  static std::thread::id id;
  return id;
}
inline void remember_main_thread() {
  const py::object thread = py::module_::import("threading");
  if (thread.attr("current_thread")().is(thread.attr("main_thread")())) main_thread() = std::this_thread::get_id();
}

// Asked about every 10 ms by the calling thread of a long call: has Ctrl-C (or another handler that raises) come in?
inline bool python_wants_to_stop() {
  if (std::this_thread::get_id() != main_thread()) return false;
  const py::gil_scoped_acquire gil;
  return PyErr_CheckSignals() != 0;
}

// The same question, and every 100 ms a word to a Python callable: progress(done, total). What it raises stops the call.
class Reporter {
 public:
  Reporter(const py::object& progress, const std::atomic<std::size_t>& done, std::size_t total)
      : progress_(progress), done_(done), total_(total) {}
  bool operator()() {
    if (progress_.is_none()) return python_wants_to_stop();
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) return true;
    const auto now = std::chrono::steady_clock::now();
    if (now < due_) return false;
    due_ = now + kInterval;
    const std::size_t done = done_.load(std::memory_order_relaxed);
    if (done >= total_) return false;  // the end is for the caller to report
    try {
      progress_(done, total_);
      return false;
    } catch (py::error_already_set& error) {
      error.restore();
      return true;
    }
  }

 private:
  static constexpr std::chrono::milliseconds kInterval{100};
  const py::object& progress_;
  const std::atomic<std::size_t>& done_;
  std::size_t total_;
  std::chrono::steady_clock::time_point due_ = std::chrono::steady_clock::now() + kInterval;
};

// Runs work(context) without the GIL. A stop raised by a Python signal handler is raised again as that exception. The GIL is
// taken back outside of any destructor: a daemon thread may end there while the interpreter shuts down.
template <typename Work>
auto without_gil(int num_threads, const Work& work, StopToken::Poll poll = python_wants_to_stop) {
  FASTCAL_CHECK(num_threads >= 1, "num_threads must be at least 1");
  using Result = decltype(work(std::declval<const CallContext&>()));
  std::optional<std::conditional_t<std::is_void_v<Result>, std::monostate, Result>> result;
  std::exception_ptr failure;
  bool interrupted = false;
  PyThreadState* state = PyEval_SaveThread();
  try {
    StopToken stop(std::move(poll));
    const CallContext context{num_threads, stop};
    if constexpr (std::is_void_v<Result>)
      work(context);
    else
      result.emplace(work(context));
  } catch (const Interrupted&) {
    interrupted = true;
  } catch (const std::exception&) {
    failure = std::current_exception();
  }
  PyEval_RestoreThread(state);
  if (interrupted) throw py::error_already_set();
  if (failure != nullptr) std::rethrow_exception(failure);
  if constexpr (!std::is_void_v<Result>) return std::move(*result);
}

}  // namespace fastcal::bindings
