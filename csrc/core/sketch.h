// sketch.h -- the sketches of one corpus and the limits that a k-th best score puts on their bounds.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/corpus.h"
#include "core/parallel.h"
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

// Independent of the instruction set: built by one table, scanned by any.
class Sketch {
 public:
  Sketch(std::size_t dim, std::size_t n_rows, Metric metric);

  // Quantises the rows and writes their norms; returns the first row that is not finite, or -1. `rows_done` grows meanwhile.
  std::int64_t build(const KernelTable& kernels, const Corpus& corpus, double* norms, std::atomic<std::size_t>& rows_done,
                     const CallContext& context);

  Metric metric() const { return metric_; }
  const SketchLayout& layout() const { return layout_; }
  std::size_t n_rows() const { return n_rows_; }
  std::size_t n_blocks() const { return (n_rows_ + kSketchRows - 1) / kSketchRows; }
  std::size_t bytes() const { return half_.size() + whole_.size() + 2 * layout_.dim * sizeof(float); }
  const std::uint8_t* records4() const { return half_.data(); }
  const std::uint8_t* records7() const { return whole_.data(); }
  const std::vector<float>& centre() const { return centre_; }        // zeros unless euclidean
  const std::vector<float>& direction() const { return direction_; }  // of length 1, or zeros

 private:
  void choose_frame(const KernelTable& kernels, const Corpus& corpus);

  Metric metric_;
  SketchLayout layout_;
  std::size_t n_rows_;
  std::vector<float> centre_, direction_;
  AlignedBytes half_, whole_;
};

// One query against one sketch.
class PreparedQuery {
 public:
  PreparedQuery(const Sketch& sketch, const float* query);

  // Rows whose goodness is at most this cannot have a key (score, or minus distance) of `key` or more. NaN, which keeps
  // every row, for a query whose norm is zero (every score ties) or cannot be handled in float32.
  float limit(float key) const;
  // Rows whose lower goodness is at least this have a key of `key` or more. NaN, which no row reaches, where limit() is NaN.
  float floor(float key) const;
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
