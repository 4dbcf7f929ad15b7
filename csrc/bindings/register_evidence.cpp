// register_evidence.cpp -- test martingales of labels.
#include "bindings/arrays.h"
#include "bindings/engine.h"
#include "core/evidence.h"
#include "core/float_env.h"

namespace fastcal::bindings {
namespace {

struct Looks {
  std::span<const std::uint8_t> labels;
  std::span<double> out;
};

Looks looks(const py::array& labels, std::size_t start, py::array& out) {
  const auto l = flat<std::uint8_t>(labels, "labels");
  const auto o = flat_out<double>(out, "out");
  FASTCAL_CHECK(start <= l.size() && o.size() == l.size() - start, "out: expected one value per label from start on");
  return {l, o};
}

void engine_log_evidence(const Engine&, const py::array& labels, std::int64_t population, std::int64_t null_hits, std::size_t start,
                         py::array& out) {
  const Looks l = looks(labels, start, out);
  FASTCAL_CHECK(population <= (std::int64_t{1} << 53) && static_cast<std::int64_t>(l.labels.size()) <= population,
                "population: expected the number of labels at least, and 2^53 at most");
  FASTCAL_CHECK(null_hits >= -1 && null_hits <= population, "null_hits: expected -1 to population");
  without_gil(1, [&](const CallContext& context) {
    const FloatEnvironment environment;
    log_evidence(l.labels, population, null_hits, start, l.out.data(), context.stop);
  });
}

void engine_log_evidence_iid(const Engine&, const py::array& labels, double null_rate, double shape, std::size_t start, py::array& out) {
  const Looks l = looks(labels, start, out);
  FASTCAL_CHECK(null_rate > 0.0 && null_rate < 1.0 && shape > 0.0, "null_rate, shape: expected inside (0, 1) and above 0");
  without_gil(1, [&](const CallContext& context) {
    const FloatEnvironment environment;
    log_evidence_iid(l.labels, null_rate, shape, start, l.out.data(), context.stop);
  });
}

void engine_log_tail_sums(const Engine&, const py::array& hits, const py::array& bad, const py::array& good, const py::array& misses,
                          py::array& out) {
  const TailSums sums{flat<double>(hits, "hits"), flat<double>(bad, "bad"), flat<double>(good, "good"), flat<double>(misses, "misses")};
  const auto target = flat_out<double>(out, "out");
  const std::size_t n = sums.hits.size();
  FASTCAL_CHECK(sums.bad.size() == n && sums.good.size() == n && sums.misses.size() == n && target.size() == n,
                "hits, bad, good, misses, out: expected one length");
  without_gil(1, [&](const CallContext& context) {
    const FloatEnvironment environment;
    log_tail_sums(sums, target.data(), context.stop);
  });
}

}  // namespace

void register_evidence(EngineClass& engine) {
  using py::arg;
  engine.def("log_evidence", &engine_log_evidence, arg("labels"), arg("population"), arg("null_hits"), arg("start"),
             arg("out").noconvert());
  engine.def("log_tail_sums", &engine_log_tail_sums, arg("hits"), arg("bad"), arg("good"), arg("misses"), arg("out").noconvert());
  engine.def("log_evidence_iid", &engine_log_evidence_iid, arg("labels"), arg("null_rate"), arg("shape"), arg("start"),
             arg("out").noconvert());
}

}  // namespace fastcal::bindings
