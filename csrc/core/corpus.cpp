// corpus.cpp -- blocks of rows for the kernels.
#include "core/corpus.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/guard.h"

namespace fastcal {

std::size_t block_rows(std::size_t dim) {
  constexpr std::size_t kBlockBytes = std::size_t{512} << 10;
  const std::size_t fitting = kBlockBytes / (dim * sizeof(float)) / 4 * 4;
  return std::clamp<std::size_t>(fitting, 4, kMaxRowBlock);
}

BlockReader::BlockReader(const KernelTable& kernels, const Corpus& corpus, const double* row_norms, bool needs_norms)
    : kernels_(kernels), corpus_(corpus), row_norms_(row_norms), needs_norms_(needs_norms) {
  if (corpus.element != Element::float32) widened_.resize(kMaxRowBlock * corpus.dim);
}

void BlockReader::place(std::size_t slot, std::size_t row) {
  FASTCAL_ASSERT(slot < kMaxRowBlock && row < corpus_.n_rows);
  const std::byte* source = corpus_.row(row);
  if (corpus_.guard != nullptr) corpus_.guard->require(source, corpus_.dim * corpus_.element_size());
  if (needs_norms_ && row_norms_ != nullptr) norms_[slot] = row_norms_[row];
  if (corpus_.element == Element::float32) {
    rows_[slot] = reinterpret_cast<const float*>(source);
    return;
  }
  float* target = widened_.data() + slot * corpus_.dim;
  const auto widen = corpus_.element == Element::float16 ? kernels_.widen_f16 : kernels_.widen_bf16;
  widen(reinterpret_cast<const std::uint16_t*>(source), corpus_.dim, target);
  rows_[slot] = target;
}

RowBlock BlockReader::block(std::size_t n) {
  if (needs_norms_ && row_norms_ == nullptr) {
    kernels_.squared_norms(rows_, n, corpus_.dim, norms_);
    for (std::size_t i = 0; i < n; ++i) norms_[i] = std::sqrt(norms_[i]);
  }
  return {rows_, needs_norms_ ? norms_ : nullptr, n};
}

RowBlock BlockReader::read(std::size_t begin, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) place(i, begin + i);
  return block(n);
}

RowBlock BlockReader::gather(std::span<const std::int64_t> rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = static_cast<std::size_t>(rows[i]);
    const std::byte* source = corpus_.row(row);
    // The first lines of every row are asked for at once; the hardware prefetcher follows each row from there.
    for (std::size_t line = 0; line < std::min<std::size_t>(4, corpus_.dim * corpus_.element_size() / 64); ++line)
      __builtin_prefetch(source + 64 * line);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) place(i, static_cast<std::size_t>(rows[i]));
  return block(rows.size());
}

}  // namespace fastcal
