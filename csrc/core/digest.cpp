// digest.cpp -- kernels/digest.inl.h, row by row.
#include "core/digest.h"

#include <algorithm>

namespace fastcal {

ByteRows byte_rows(const Corpus& corpus, std::size_t first, std::size_t n) {
  return {corpus.row(first), corpus.row_stride, n, corpus.dim * corpus.element_size()};
}

void digest_rows(const KernelTable& kernels, const ByteRows& rows, std::uint64_t* out) {
  for (std::size_t i = 0; i < rows.n; ++i) out[i] = kernels.digest(rows.data + static_cast<std::ptrdiff_t>(i) * rows.stride, rows.bytes);
}

void digest_rows(const KernelTable& kernels, const ByteRows& rows, std::uint64_t* out, const CallContext& context) {
  constexpr std::size_t kTaskBytes = std::size_t{1} << 20;
  const std::size_t per_task = std::max<std::size_t>(1, kTaskBytes / std::max<std::size_t>(1, rows.bytes));
  const CallContext sized{worthwhile_threads(static_cast<double>(rows.n * rows.bytes) / 10.0, context.num_threads), context.stop};
  parallel_for((rows.n + per_task - 1) / per_task, sized, [&](std::size_t task, std::size_t) {
    const std::size_t first = task * per_task;
    const ByteRows part{rows.data + static_cast<std::ptrdiff_t>(first) * rows.stride, rows.stride, std::min(per_task, rows.n - first),
                        rows.bytes};
    digest_rows(kernels, part, out + first);
  });
}

}  // namespace fastcal
