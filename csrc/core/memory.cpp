// memory.cpp -- the system's allocator, asked for alignment, huge pages and growth in place.
#include "core/memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace fastcal {

AlignedBytes::AlignedBytes(std::size_t size) : size_(size) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
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

GrowingBytes::~GrowingBytes() {
  std::free(data_);
}

void GrowingBytes::reserve(std::size_t least) {
  const std::size_t wanted = least + least / 2 + 4096;
  char* const grown = static_cast<char*>(std::realloc(data_, wanted));
  if (grown == nullptr) throw std::bad_alloc();
  data_ = grown;
  capacity_ = wanted;
}

}  // namespace fastcal
