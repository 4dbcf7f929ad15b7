// sketch.cpp -- choosing the frame, quantising rows and queries; kernels/sketch.h has the algebra.
#include "core/sketch.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "core/float_env.h"
#include "core/search_plan.h"

namespace fastcal {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

float next_down(double value) {
  return std::nextafterf(static_cast<float>(value), -std::numeric_limits<float>::infinity());
}
float next_up(double value) {
  return std::nextafterf(static_cast<float>(value), std::numeric_limits<float>::infinity());
}

double norm_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v * v;
  return std::sqrt(sum);
}

void measure_norms(const KernelTable& kernels, const RowBlock& rows, std::size_t dim, std::size_t first, double* norms, FirstBad& bad) {
  kernels.squared_norms(rows.rows, rows.n, dim, norms + first);
  for (std::size_t i = first; i < first + rows.n; ++i) {
    norms[i] = std::sqrt(norms[i]);
    if (!std::isfinite(norms[i])) bad.report(i);
  }
}

}  // namespace

AlignedBytes::AlignedBytes(std::size_t size) : size_(size) {
  const std::size_t alignment = size >= 2 * kHugePage ? kHugePage : 64;
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  data_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(alignment, std::max(whole, alignment))));
  if (data_ == nullptr) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  if (alignment == kHugePage) madvise(data_.get(), whole, MADV_HUGEPAGE);
#endif
}

void AlignedBytes::Free::operator()(std::uint8_t* p) const {
  std::free(p);
}

Sketch::Sketch(std::size_t dim, std::size_t n_rows, Metric metric)
    : metric_(metric),
      layout_{dim, metric != Metric::cosine},
      n_rows_(n_rows),
      centre_(dim),
      direction_(dim),
      half_(n_blocks() * layout_.record4()),
      whole_(n_blocks() * layout_.record7()) {}

std::int64_t Sketch::build(const KernelTable& kernels, const Corpus& corpus, double* norms, std::atomic<std::size_t>& rows_done,
                           const CallContext& context) {
  const FloatEnvironment environment;
  FirstBad bad;
  choose_frame(kernels, corpus);
  constexpr std::size_t kTaskValues = std::size_t{1} << 20;
  const std::size_t per_task = std::max<std::size_t>(1, kTaskValues / (corpus.dim * kSketchRows));
  parallel_for((n_blocks() + per_task - 1) / per_task, context, [&](std::size_t task, std::size_t) {
    BlockReader reader(kernels, corpus, nullptr, false);
    std::vector<float> row(layout_.dim);
    std::vector<std::uint8_t> codes(kSketchGroup * layout_.groups());
    const float* centre = metric_ == Metric::euclidean ? centre_.data() : nullptr;
    const std::size_t end = std::min(n_blocks(), (task + 1) * per_task);
    for (std::size_t block = task * per_task; block < end; ++block) {
      std::uint8_t* half = half_.data() + block * layout_.record4();
      std::uint8_t* whole = whole_.data() + block * layout_.record7();
      std::memset(half, 0, layout_.record4());
      std::memset(whole, 0, layout_.record7());
      const std::size_t n = std::min(kSketchRows, n_rows_ - block * kSketchRows);
      const RowBlock rows = reader.read(block * kSketchRows, n);
      measure_norms(kernels, rows, layout_.dim, block * kSketchRows, norms, bad);
      for (std::size_t lane = 0; lane < n; ++lane)
        kernels.sketch_row(rows.rows[lane], centre, direction_.data(), layout_, {half, whole, lane}, row.data(), codes.data());
      rows_done.fetch_add(n, std::memory_order_relaxed);
    }
  });
  return bad.get();
}

// The mean of a strided sample: of the rows for euclidean, whose centre it is, else of the unit rows, whose direction it is.
void Sketch::choose_frame(const KernelTable& kernels, const Corpus& corpus) {
  constexpr std::size_t kSample = 4096;
  const std::size_t stride = std::max<std::size_t>(1, n_rows_ / kSample);
  std::vector<double> mean(layout_.dim);
  BlockReader reader(kernels, corpus, nullptr, true);
  std::size_t count = 0;
  for (std::size_t i = 0; i < n_rows_; i += stride) {
    const RowBlock block = reader.read(i, 1);
    const double weight = metric_ == Metric::euclidean ? 1.0 : (block.norms[0] > 0 ? 1.0 / block.norms[0] : 0.0);
    for (std::size_t j = 0; j < layout_.dim; ++j) mean[j] += weight * static_cast<double>(block.rows[0][j]);
    ++count;
  }
  const double length = metric_ == Metric::euclidean ? static_cast<double>(std::max<std::size_t>(1, count)) : norm_of(mean);
  std::vector<float>& frame = metric_ == Metric::euclidean ? centre_ : direction_;
  for (std::size_t j = 0; j < layout_.dim && length > 0; ++j) frame[j] = static_cast<float>(mean[j] / length);
}

PreparedQuery::PreparedQuery(const Sketch& sketch, const float* query)
    : metric_(sketch.metric()), codes_(kSketchGroup * sketch.layout().groups()) {
  const std::size_t dim = sketch.layout().dim;
  std::vector<double> p(dim);
  for (std::size_t i = 0; i < dim; ++i) p[i] = static_cast<double>(query[i]) - static_cast<double>(sketch.centre()[i]);
  norm_ = norm_of(p);
  usable_ = (norm_ > 1e-18 && norm_ < 1e18) || (norm_ == 0 && metric_ == Metric::euclidean);
  double along = 0;
  for (double& v : p) v = usable_ && norm_ > 0 ? v / norm_ : 0.0;
  for (std::size_t i = 0; i < dim; ++i) along += p[i] * static_cast<double>(sketch.direction()[i]);
  double largest = 0;
  for (std::size_t i = 0; i < dim; ++i) {
    p[i] -= along * static_cast<double>(sketch.direction()[i]);
    largest = std::max(largest, std::fabs(p[i]));
  }
  along_ = static_cast<float>(along);
  step_ = static_cast<float>(largest / 127.0);
  const double length = norm_of(p);
  for (std::size_t i = 0; i < dim && step_ > 0; ++i) {
    const double code = std::clamp(std::nearbyint(p[i] / static_cast<double>(step_)), -127.0, 127.0);
    codes_[i] = static_cast<std::int8_t>(code);
    code_sum_ += codes_[i];
    p[i] -= code * static_cast<double>(step_);
  }
  const double error = norm_of(p);
  // The rounding that kernels/sketch.h accounts for, once against the unit row and once against its residual.
  const double rounding = 0x1p-17 + static_cast<double>(dim) * 0x1p-50;
  spread_ = next_up(length + error + rounding);
  slack_ = next_up(error + rounding);
}

// Scores are compared as float32 with ties by id, so a row may be dropped only if its score is below `key` by a whole
// float32: goodness <= limit must imply score <= the float32 before `key`.
float PreparedQuery::limit(float key) const {
  if (!usable_) return std::numeric_limits<float>::quiet_NaN();
  const float worse = std::nextafterf(key, -std::numeric_limits<float>::infinity());
  if (metric_ == Metric::cosine) return worse;
  if (metric_ == Metric::dot) return next_down(static_cast<double>(worse) / norm_);
  const auto distance = static_cast<double>(worse);
  return next_down(-(distance * distance));
}

// A lower bound at or above `key` implies a score of at least `key`: rounding to float32 keeps that order.
float PreparedQuery::floor(float key) const {
  if (!usable_) return std::numeric_limits<float>::quiet_NaN();
  if (metric_ == Metric::cosine) return key;
  if (metric_ == Metric::dot) return next_up(static_cast<double>(key) / norm_);
  const auto distance = static_cast<double>(key);
  return next_up(-(distance * distance));
}

SketchQuery PreparedQuery::view() const {
  return {codes_.data(), code_sum_, along_, step_, spread_, slack_, static_cast<float>(norm_)};
}

}  // namespace fastcal
