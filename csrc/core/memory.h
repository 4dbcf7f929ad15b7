// memory.h -- memory that comes in pages, and memory that grows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace fastcal {

// Zeroed memory straight from the system, to which it goes back at once; large pieces sit on 2 MiB boundaries and ask for huge
// pages. For what is large or of no use soon: malloc would keep some of it.
class Pages {
 public:
  explicit Pages(std::size_t size);
  std::uint8_t* data() const { return data_.get(); }
  std::size_t size() const { return data_.get_deleter().size; }
  void free() { data_.reset(); }

 private:
  struct Unmap {
    void operator()(std::uint8_t* p) const;
    std::size_t size;
  };
  std::unique_ptr<std::uint8_t, Unmap> data_;
};

// The size of the piece of memory after one of `before` bytes, where pieces never move: small at first, then with huge pages.
constexpr std::size_t next_piece(std::size_t before) {
  return std::clamp(2 * before, std::size_t{1} << 16, std::size_t{1} << 22);
}

// Memory that grows where it stands if the system can arrange it; new bytes are not initialised.
class GrowingBytes {
 public:
  GrowingBytes() = default;
  ~GrowingBytes();
  GrowingBytes(const GrowingBytes&) = delete;
  GrowingBytes& operator=(const GrowingBytes&) = delete;

  const char* data() const { return data_; }
  std::size_t size() const { return size_; }
  // Takes back what has been written less than extended by.
  void shrink_to(const char* end) { size_ = static_cast<std::size_t>(end - data_); }
  // Room for `n` more bytes at the end, which count as part from now on.
  char* extend(std::size_t n) {
    if (capacity_ - size_ < n) reserve(size_ + n);
    char* const place = data_ + size_;
    size_ += n;
    return place;
  }

 private:
  void reserve(std::size_t least);

  char* data_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace fastcal
