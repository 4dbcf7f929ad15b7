// corpus.h -- a borrowed view of the rows, and the reader that hands them to kernels block by block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kernel_table.h"

namespace fastcal {

class Guard;

enum class Element { float32, float16, bfloat16 };

struct Corpus {
  const std::byte* data;
  std::ptrdiff_t row_stride;  // bytes; negative and zero are fine
  std::size_t n_rows;
  std::size_t dim;
  Element element;
  const Guard* guard = nullptr;  // asked before a row is read, if there is one

  const std::byte* row(std::size_t i) const { return data + static_cast<std::ptrdiff_t>(i) * row_stride; }
  std::size_t element_size() const { return element == Element::float32 ? sizeof(float) : sizeof(std::uint16_t); }
};

// Rows per kernel call: a block of float32 rows should stay in half of a 1 MiB second-level cache.
std::size_t block_rows(std::size_t dim);

// One worker's reader: float32 rows are passed by address, 16-bit rows are widened into a cache-resident block.
// Where norms are needed and none were stored, they are computed from the block just read.
class BlockReader {
 public:
  BlockReader(const KernelTable& kernels, const Corpus& corpus, const double* row_norms, bool needs_norms);

  // Rows begin, begin + 1, ..., begin + n - 1; n <= kMaxRowBlock. The block is valid until the next read.
  RowBlock read(std::size_t begin, std::size_t n);
  // The rows listed in `rows`, in that order. Without norms where none are needed.
  RowBlock gather(std::span<const std::int64_t> rows);

 private:
  void place(std::size_t slot, std::size_t row);
  RowBlock block(std::size_t n);

  const KernelTable& kernels_;
  const Corpus& corpus_;
  const double* row_norms_;
  bool needs_norms_;
  std::vector<float> widened_;
  const float* rows_[kMaxRowBlock];
  double norms_[kMaxRowBlock];
};

}  // namespace fastcal
