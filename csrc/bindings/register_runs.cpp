// register_runs.cpp -- reading and writing TREC files, and what a Run asks about its lists.
#include <pybind11/stl.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/engine.h"
#include "bindings/list_arguments.h"
#include "core/run_lists.h"
#include "core/trec.h"
#include "core/trec_writer.h"

namespace fastcal::bindings {
namespace {

// Short of the allocation, an ASCII string is a copy of its bytes.
PyObject* string_of(std::string_view name) {
  const auto size = static_cast<py::ssize_t>(name.size());
  unsigned bits = 0;
  for (const char c : name) bits |= static_cast<unsigned char>(c);
  if (bits >= 0x80 || size < 2) return PyUnicode_DecodeUTF8(name.data(), size, nullptr);
  PyObject* const string = PyUnicode_New(size, 0x7f);
  if (string != nullptr) std::memcpy(PyUnicode_1BYTE_DATA(string), name.data(), name.size());
  return string;
}

// Strings of the names of a table, made while more names come. The GIL is held by whoever calls.
class Strings {
 public:
  Strings() = default;
  Strings(const Strings&) = delete;
  Strings& operator=(const Strings&) = delete;
  ~Strings() {
    for (PyObject* const string : made_) Py_DECREF(string);
  }

  std::size_t size() const { return made_.size(); }

  // Makes strings until there are `n`.
  void make(const NameTable& names, std::size_t n) {
    while (made_.size() < n) {
      PyObject* const string = string_of(cursor_.next(names.texts()));
      if (string == nullptr) throw py::error_already_set();
      made_.push_back(string);
    }
  }

  // Makes the strings that are missing, and fills an array with all of them.
  void write(const NameTable& names, py::array& out, const char* argument) {
    FASTCAL_CHECK(out.dtype().kind() == 'O' && (out.flags() & py::array::c_style) != 0 && out.writeable(),
                  std::string(argument) + ": wrong array");
    FASTCAL_CHECK(static_cast<std::size_t>(out.size()) == names.size(), std::string(argument) + ": wrong size");
    make(names, names.size());
    auto** const place = static_cast<PyObject**>(out.mutable_data());
    std::size_t i = 0;
    for (PyObject* const string : made_) Py_XDECREF(std::exchange(place[i++], Py_NewRef(string)));
  }

 private:
  NameTexts::Cursor cursor_;
  std::deque<PyObject*> made_;
};

// The reader, the text it may still look at, and the names it has found.
struct Reader {
  explicit Reader(const TrecLayout& layout) : core(layout) {}

  TrecReader core;
  py::object text;
  Strings queries, documents;
};

std::unique_ptr<Reader> engine_trec_reader(const Engine&, std::string_view kind) {
  FASTCAL_CHECK(kind == "run" || kind == "qrels", "kind: expected 'run' or 'qrels'");
  return std::make_unique<Reader>(kind == "run" ? kTrecRun : kTrecQrels);
}

// Strings of the names known so far are made while the core reads on.
std::function<void()> making_strings(Reader& self) {
  const std::size_t known = self.core.documents().size();
  if (known == self.documents.size()) return {};
  return [&self, known] {
    const py::gil_scoped_acquire gil;
    self.documents.make(self.core.documents(), known);
  };
}

bool reader_feed(Reader& self, const py::array& text, int num_threads) {
  const auto bytes = flat<std::uint8_t>(text, "text");
  const std::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto meanwhile = making_strings(self);
  const bool good = without_gil(num_threads, [&](const CallContext& context) { return self.core.feed(view, context, meanwhile); });
  self.text = text;
  return good;
}

bool reader_finish(Reader& self, int num_threads) {
  const auto meanwhile = making_strings(self);
  return without_gil(num_threads, [&](const CallContext& context) { return self.core.finish(context, meanwhile); });
}

void reader_write(Reader& self, py::array& ids, py::array& values, py::array& stretch_query, py::array& stretch_start, py::array& queries,
                  py::array& documents, int num_threads) {
  const auto out_ids = flat_out<std::int64_t>(ids, "out_ids");
  const auto out_values = flat_out<std::uint32_t>(values, "out_values");
  const auto out_query = flat_out<std::int64_t>(stretch_query, "out_stretch_query");
  const auto out_start = flat_out<std::int64_t>(stretch_start, "out_stretch_start");
  FASTCAL_CHECK(out_ids.size() == self.core.lines() && out_values.size() == self.core.lines(), "out_ids, out_values: wrong size");
  FASTCAL_CHECK(out_query.size() == self.core.stretches() && out_start.size() == self.core.stretches(), "out_stretch_*: wrong size");
  without_gil(num_threads, [&](const CallContext& context) { self.core.write(out_ids, out_values, out_query, out_start, context); });
  self.queries.write(self.core.queries(), queries, "out_queries");
  self.documents.write(self.core.documents(), documents, "out_documents");
}

std::unique_ptr<TrecWriter> engine_trec_writer(const Engine&, const std::string& queries, const std::optional<std::string>& documents,
                                               const std::string& tag) {
  return std::make_unique<TrecWriter>(queries, documents.value_or(std::string()), documents.has_value(), tag);
}

py::bytes writer_lines(const TrecWriter& self, const py::array& ids, const py::array& scores, const py::array& offsets, std::size_t begin,
                       std::size_t end, int num_threads) {
  const auto documents = flat<std::int64_t>(ids, "ids");
  const auto values = flat<float>(scores, "scores");
  const Offsets lists = offsets_view(offsets, documents.size());
  FASTCAL_CHECK(values.size() == documents.size() && begin <= end && end <= documents.size(), "scores, begin, end: out of range");
  FASTCAL_CHECK(lists.size() == self.queries().size() + 1, "offsets: expected one list a query");
  const auto known = static_cast<std::int64_t>(self.documents().size());
  for (std::size_t i = begin; i < end && self.named(); ++i) FASTCAL_CHECK(documents[i] >= 0 && documents[i] < known, "ids: out of range");
  std::string text;
  without_gil(num_threads,
              [&](const CallContext& context) { self.lines(documents.data(), values.data(), lists, begin, end, text, context); });
  return py::bytes(text);
}

int engine_list_faults(const Engine&, const py::array& ids, const std::optional<py::array>& scores, const py::array& offsets,
                       bool higher_is_better) {
  const auto documents = flat<std::int64_t>(ids, "ids");
  const Offsets lists = offsets_view(offsets, documents.size());
  const float* values = scores ? flat<float>(*scores, "scores").data() : nullptr;
  FASTCAL_CHECK(!scores || scores->size() == ids.size(), "scores: expected the size of ids");
  return without_gil(
      1, [&](const CallContext& context) { return list_faults(documents.data(), values, lists, higher_is_better, context.stop); });
}

void engine_sort_lists(const Engine&, const py::array& ids, const py::array& scores, const py::array& offsets, py::array& out_ids,
                       py::array& out_scores, bool higher_is_better, int num_threads) {
  const auto documents = flat<std::int64_t>(ids, "ids");
  const auto values = flat<float>(scores, "scores");
  const Offsets lists = offsets_view(offsets, documents.size());
  const auto to_ids = flat_out<std::int64_t>(out_ids, "out_ids");
  const auto to_scores = flat_out<float>(out_scores, "out_scores");
  FASTCAL_CHECK(values.size() == documents.size() && to_ids.size() == documents.size() && to_scores.size() == documents.size(),
                "scores, out: expected the size of ids");
  without_gil(num_threads, [&](const CallContext& context) {
    sort_lists(documents.data(), values.data(), lists, higher_is_better, to_ids.data(), to_scores.data(), context);
  });
}

}  // namespace

void register_runs(py::module_& module, EngineClass& engine) {
  using py::arg;
  const py::kw_only kw_only;
  py::class_<Reader>(module, "TrecReader")
      .def_property_readonly("lines", [](const Reader& self) { return self.core.lines(); })
      .def_property_readonly("stretches", [](const Reader& self) { return self.core.stretches(); })
      .def_property_readonly("queries", [](const Reader& self) { return self.core.queries().size(); })
      .def_property_readonly("documents", [](const Reader& self) { return self.core.documents().size(); })
      .def_property_readonly("malformed", [](const Reader& self) { return py::bytes(self.core.malformed()); })
      .def("feed", &reader_feed, arg("text").noconvert(), kw_only, arg("num_threads"))
      .def("finish", &reader_finish, kw_only, arg("num_threads"))
      .def("write", &reader_write, arg("out_ids").noconvert(), arg("out_values").noconvert(), arg("out_stretch_query").noconvert(),
           arg("out_stretch_start").noconvert(), arg("out_queries").noconvert(), arg("out_documents").noconvert(), kw_only,
           arg("num_threads"));
  py::class_<TrecWriter>(module, "TrecWriter")
      .def("lines", &writer_lines, arg("ids"), arg("scores"), arg("offsets"), arg("begin"), arg("end"), kw_only, arg("num_threads"));
  engine.def("trec_reader", &engine_trec_reader, arg("kind"));
  engine.def("trec_writer", &engine_trec_writer, arg("queries"), arg("documents").none(true), arg("tag"));
  engine.def("list_faults", &engine_list_faults, arg("ids"), arg("scores").none(true), arg("offsets"), kw_only, arg("higher_is_better"));
  engine.def("sort_lists", &engine_sort_lists, arg("ids"), arg("scores"), arg("offsets"), arg("out_ids").noconvert(),
             arg("out_scores").noconvert(), kw_only, arg("higher_is_better"), arg("num_threads"));
}

}  // namespace fastcal::bindings
