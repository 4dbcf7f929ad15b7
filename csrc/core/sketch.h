// sketch.h -- the sketches of one corpus and the limits that a k-th best score puts on their bounds.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/corpus.h"
#include "core/guard.h"
#include "core/parallel.h"
#include "core/search_plan.h"
#include "kernels/kernel_table.h"

namespace fastcal {

// Zeroed memory, 64-byte aligned; large pieces sit on 2 MiB boundaries and ask for huge pages.
class AlignedBytes {
 public:
  explicit AlignedBytes(std::size_t size);
  std::uint8_t* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::uint8_t* p) const;
  };
  std::size_t size_;
  std::unique_ptr<std::uint8_t, Free> data_;
};

// The coordinates in which rows and queries are quantised.
struct SketchFrame {
  Metric metric;
  SketchLayout layout;
  std::vector<float> centre;     // zeros unless euclidean
  std::vector<float> direction;  // of length 1, or zeros
  std::vector<float> signs;      // +1 and -1, of the rotation; they depend on dim alone

  SketchFrame(std::size_t dim, Metric metric);
  // Looks at about `sample` rows. Any frame is a valid one: it only decides how close the bounds are.
  void choose(const KernelTable& kernels, const Corpus& corpus, std::size_t sample);
};

// Quantises blocks of rows into records, on one thread.
class BlockSketcher {
 public:
  BlockSketcher(const KernelTable& kernels, const SketchFrame& frame);
  // The rows of one block; `record4` may be null. Lanes behind the last row become zeros.
  void write(const RowBlock& rows, std::uint8_t* record4, std::uint8_t* record7);

 private:
  const KernelTable& kernels_;
  const SketchFrame& frame_;
  std::vector<float> row_;
  std::vector<std::uint8_t> codes_;
};

// Independent of the instruction set: built by one table, scanned by any.
class Sketch {
 public:
  Sketch(std::size_t dim, std::size_t n_rows, Metric metric);

  // A finished sketch whose records stay where they are; `guard` may be null. Both must outlive it.
  Sketch(std::size_t n_rows, SketchFrame frame, const std::uint8_t* records4, const std::uint8_t* records7, const Guard* guard);

  // Quantises the rows and writes their norms and, unless null, their digests; returns the first row that is not finite,
  // or -1. `rows_done` grows meanwhile.
  std::int64_t build(const KernelTable& kernels, const Corpus& corpus, double* norms, std::atomic<std::size_t>& rows_done,
                     const CallContext& context, std::uint64_t* digests = nullptr);

  const SketchFrame& frame() const { return frame_; }
  Metric metric() const { return frame_.metric; }
  const SketchLayout& layout() const { return frame_.layout; }
  std::size_t n_rows() const { return n_rows_; }
  std::size_t n_blocks() const { return (n_rows_ + kSketchRows - 1) / kSketchRows; }
  std::size_t bytes() const { return n_blocks() * (layout().record4() + layout().record7()) + 2 * layout().dim * sizeof(float); }
  const std::uint8_t* records4() const { return records4_; }
  const std::uint8_t* records7() const { return records7_; }
  const Guard* guard() const { return guard_; }
  // To be called before the records of these blocks are read; throws DamagedBytes.
  void require4(std::size_t first_block, std::size_t n) const { require(records4_, layout().record4(), first_block, n); }
  void require7(std::size_t first_block, std::size_t n) const { require(records7_, layout().record7(), first_block, n); }

 private:
  void require(const std::uint8_t* records, std::size_t record, std::size_t first, std::size_t n) const {
    if (guard_ != nullptr) guard_->require(records + first * record, n * record);
  }

  SketchFrame frame_;
  std::size_t n_rows_;
  AlignedBytes half_, whole_;  // empty if the records are borrowed
  const std::uint8_t *records4_, *records7_;
  const Guard* guard_ = nullptr;
};

// Writes the norms of rows first, first + 1, ... and reports those that are not finite.
void measure_norms(const KernelTable& kernels, const RowBlock& rows, std::size_t dim, std::size_t first, double* norms, FirstBad& bad);

// One query in the coordinates of a frame.
class PreparedQuery {
 public:
  PreparedQuery(const SketchFrame& frame, const float* query);

  // Rows whose goodness is at most this cannot have a key (score, or minus distance) of `key` or more. NaN, which keeps
  // every row, for a query whose norm is zero (every score ties) or cannot be handled in float32.
  float limit(float key) const;
  // Rows whose lower goodness is at least this have a key of `key` or more. NaN, which no row reaches, where limit() is NaN.
  float floor(float key) const;
  // A lower goodness of a row, given the upper one and the facts that it came from: to be held against floor().
  float lower_goodness(float upper, float residual, float norm) const;
  SketchQuery view() const;

 private:
  Metric metric_;
  std::vector<std::int8_t> codes_;
  std::int32_t code_sum_ = 0;
  double norm_;
  float along_, step_, spread_, slack_;
  bool usable_;
};

}  // namespace fastcal
