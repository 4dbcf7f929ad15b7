// memory.cpp -- what the system and its allocator are asked for.
#include "core/memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace fastcal {

namespace {

// A multiple of every system's page.
constexpr std::size_t whole_pages(std::size_t size) {
  constexpr std::size_t kAnyPage = std::size_t{1} << 16;
  return (size + kAnyPage - 1) / kAnyPage * kAnyPage;
}

}  // namespace

Pages::Pages(std::size_t size) : data_(nullptr, {size}) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const std::size_t spare = size >= 2 * kHugePage ? kHugePage : 0, whole = whole_pages(size);
  void* const mapped = mmap(nullptr, whole + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  std::uint8_t* begin = static_cast<std::uint8_t*>(mapped);
  if (spare != 0) {
    const std::size_t ahead = (0 - reinterpret_cast<std::uintptr_t>(begin)) % kHugePage;
    if (ahead != 0) munmap(begin, ahead);
    begin += ahead;
    if (ahead != spare) munmap(begin + whole, spare - ahead);
#if defined(MADV_HUGEPAGE)
    madvise(begin, whole, MADV_HUGEPAGE);
#endif
  }
  data_.reset(begin);
}

void Pages::Unmap::operator()(std::uint8_t* p) const {
  munmap(p, whole_pages(size));
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
