// sketch.cpp -- choosing the frame, quantising rows and queries; kernels/sketch.h has the algebra.
#include "core/sketch.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "core/digest.h"
#include "core/float_env.h"
#include "core/rotation.h"

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

}  // namespace

void measure_norms(const KernelTable& kernels, const RowBlock& rows, std::size_t dim, std::size_t first, double* norms, FirstBad& bad) {
  kernels.squared_norms(rows.rows, rows.n, dim, norms);
  for (std::size_t i = 0; i < rows.n; ++i) {
    norms[i] = std::sqrt(norms[i]);
    if (!std::isfinite(norms[i])) bad.report(first + i);
  }
}

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

SketchFrame::SketchFrame(std::size_t dim, Metric m)
    : metric(m), layout{dim, m != Metric::cosine}, centre(dim), direction(dim), signs(rotation_signs(dim)) {}

// The mean of a sample: of the rows for euclidean, whose centre it is, else of the unit rows, whose direction it is. The sample comes
// in runs, each of which costs a corpus on disk one reading ahead.
void SketchFrame::choose(const KernelTable& kernels, const Corpus& corpus, std::size_t sample) {
  const std::size_t run = std::min(kMaxRowBlock, sample), stride = std::max(run, corpus.n_rows / std::max<std::size_t>(1, sample / run));
  std::vector<double> mean(layout.dim);
  BlockReader reader(kernels, corpus, nullptr, true);
  std::size_t count = 0;
  for (std::size_t first = 0; first < corpus.n_rows; first += stride) {
    const RowBlock block = reader.read(first, std::min(run, corpus.n_rows - first));
    for (std::size_t r = 0; r < block.n; ++r) {
      const double weight = metric == Metric::euclidean ? 1.0 : (block.norms[r] > 0 ? 1.0 / block.norms[r] : 0.0);
      for (std::size_t j = 0; j < layout.dim; ++j) mean[j] += weight * static_cast<double>(block.rows[r][j]);
    }
    count += block.n;
  }
  const double length = metric == Metric::euclidean ? static_cast<double>(std::max<std::size_t>(1, count)) : norm_of(mean);
  std::vector<float>& axis = metric == Metric::euclidean ? centre : direction;
  for (std::size_t j = 0; j < layout.dim && length > 0; ++j) axis[j] = static_cast<float>(mean[j] / length);
}

BlockSketcher::BlockSketcher(const KernelTable& kernels, const SketchFrame& frame)
    : kernels_(kernels), frame_(frame), row_(3 * frame.layout.padded()), codes_(frame.layout.padded()) {}

void BlockSketcher::write(const RowBlock& rows, std::uint8_t* record4, std::uint8_t* record7) {
  const SketchLayout& layout = frame_.layout;
  if (rows.n < kSketchRows && record4 != nullptr) std::memset(record4, 0, layout.record4());
  if (rows.n < kSketchRows) std::memset(record7, 0, layout.record7());
  const float* centre = frame_.metric == Metric::euclidean ? frame_.centre.data() : nullptr;
  for (std::size_t lane = 0; lane < rows.n; ++lane)
    kernels_.sketch_row(rows.rows[lane], centre, frame_.direction.data(), frame_.signs.data(), layout, {record4, record7, lane},
                        row_.data(), codes_.data());
}

Sketch::Sketch(std::size_t dim, std::size_t n_rows, Metric metric)
    : frame_(dim, metric),
      n_rows_(n_rows),
      half_(n_blocks() * layout().record4()),
      whole_(n_blocks() * layout().record7()),
      records4_(half_.data()),
      records7_(whole_.data()) {}

Sketch::Sketch(std::size_t n_rows, SketchFrame frame, const std::uint8_t* records4, const std::uint8_t* records7, const Guard* guard)
    : frame_(std::move(frame)), n_rows_(n_rows), half_(0), whole_(0), records4_(records4), records7_(records7), guard_(guard) {}

std::int64_t Sketch::build(const KernelTable& kernels, const Corpus& corpus, double* norms, std::atomic<std::size_t>& rows_done,
                           const CallContext& context, std::uint64_t* digests) {
  constexpr std::size_t kTaskValues = std::size_t{1} << 20, kSample = 4096;
  const FloatEnvironment environment;
  FirstBad bad;
  frame_.choose(kernels, corpus, kSample);
  const std::size_t per_task = std::max<std::size_t>(1, kTaskValues / (corpus.dim * kSketchRows));
  parallel_for((n_blocks() + per_task - 1) / per_task, context, [&](std::size_t task, std::size_t) {
    BlockReader reader(kernels, corpus, nullptr, false);
    BlockSketcher sketcher(kernels, frame_);
    const std::size_t end = std::min(n_blocks(), (task + 1) * per_task);
    for (std::size_t block = task * per_task; block < end; ++block) {
      const std::size_t first = block * kSketchRows;
      const RowBlock rows = reader.read(first, std::min(kSketchRows, n_rows_ - first));
      measure_norms(kernels, rows, corpus.dim, first, norms + first, bad);
      if (digests != nullptr) digest_rows(kernels, byte_rows(corpus, first, rows.n), digests + first);
      sketcher.write(rows, half_.data() + block * layout().record4(), whole_.data() + block * layout().record7());
      rows_done.fetch_add(rows.n, std::memory_order_relaxed);
    }
  });
  return bad.get();
}

PreparedQuery::PreparedQuery(const SketchFrame& frame, const float* query)
    : metric_(frame.metric), codes_(kSketchGroup * frame.layout.groups()) {
  const std::size_t dim = frame.layout.dim;
  std::vector<double> p(dim);
  for (std::size_t i = 0; i < dim; ++i) p[i] = static_cast<double>(query[i]) - static_cast<double>(frame.centre[i]);
  norm_ = norm_of(p);
  usable_ = (norm_ > 1e-18 && norm_ < 1e18) || (norm_ == 0 && metric_ == Metric::euclidean);
  double along = 0;
  for (double& v : p) v = usable_ && norm_ > 0 ? v / norm_ : 0.0;
  for (std::size_t i = 0; i < dim; ++i) along += p[i] * static_cast<double>(frame.direction[i]);
  for (std::size_t i = 0; i < dim; ++i) p[i] -= along * static_cast<double>(frame.direction[i]);
  rotate(p, frame.signs);
  double largest = 0;
  for (const double v : p) largest = std::max(largest, std::fabs(v));
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

// A bound lies `width` on either side of its estimate (kernels/sketch.h); 2^-15 covers the float32 epilogue twice over.
float PreparedQuery::lower_goodness(float upper, float residual, float norm) const {
  const double width = 2.0 * (static_cast<double>(residual) * static_cast<double>(spread_) + static_cast<double>(slack_)) + 0x1p-15;
  const double n = static_cast<double>(norm);
  double lowered = static_cast<double>(upper);
  if (metric_ == Metric::cosine) lowered -= width;
  if (metric_ == Metric::dot) lowered -= width * n;
  if (metric_ == Metric::euclidean) lowered -= 2.0 * norm_ * n * width + 0x1p-15 * (norm_ * norm_ + n * n);
  return next_down(lowered);
}

SketchQuery PreparedQuery::view() const {
  return {codes_.data(), code_sum_, along_, step_, spread_, slack_, static_cast<float>(norm_)};
}

}  // namespace fastcal
