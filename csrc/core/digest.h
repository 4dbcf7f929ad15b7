// digest.h -- one digest a row of bytes, on all threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/corpus.h"
#include "core/parallel.h"

namespace fastcal {

struct ByteRows {
  const std::byte* data;
  std::ptrdiff_t stride;
  std::size_t n;
  std::size_t bytes;  // of a row
};

// The bytes of rows first, first + 1, ..., first + n - 1.
ByteRows byte_rows(const Corpus& corpus, std::size_t first, std::size_t n);

void digest_rows(const KernelTable& kernels, const ByteRows& rows, std::uint64_t* out);
void digest_rows(const KernelTable& kernels, const ByteRows& rows, std::uint64_t* out, const CallContext& context);

}  // namespace fastcal
