// names.h -- names as numbers: a table from bytes to 0, 1, 2, ... in order of first appearance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace fastcal {

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

// A hash of bytes: not the same on all machines, so that nothing may depend on it.
std::uint32_t hash_name(const char* name, std::size_t length);

// Open addressing with linear probing. The place of a slot comes from the high bits of the hash, so a table that doubles
// is read and written in order.
class NameTable {
 public:
  NameTable() = default;
  ~NameTable();
  NameTable(const NameTable&) = delete;
  NameTable& operator=(const NameTable&) = delete;

  // The names in order of their numbers, each followed by '\n', which no name may hold.
  std::string_view text() const { return {text_.data(), text_.size()}; }
  std::size_t size() const { return size_; }

  // The number of a name, a new one if it is new. Room for it must have been made.
  std::uint32_t number(const char* name, std::size_t length, std::uint32_t hash);
  // Room for `n` more names. Throws std::length_error beyond 2^32 - 1 names.
  void make_room(std::size_t n);

  // What to ask the memory for some names ahead of number(): the slot first; later, when that has come, what it points to.
  void prefetch_slot(std::uint32_t hash) const { __builtin_prefetch(slots_ + (hash >> shift_)); }
  void prefetch_name(std::size_t length, std::uint32_t hash) const;

 private:
  struct Slot {
    std::uint64_t position;  // of the name in text_
    std::uint32_t hash, number;
  };
  static constexpr std::uint32_t kEmpty = ~std::uint32_t{0};

  void rehash(int shift);
  bool holds(const Slot& slot, const char* name, std::size_t length, std::uint32_t hash) const;
  std::size_t slots() const { return slots_ == nullptr ? 0 : std::size_t{1} << (32 - shift_); }

  Slot* slots_ = nullptr;
  int shift_ = 32;
  std::size_t size_ = 0;
  GrowingBytes text_;
};

}  // namespace fastcal
