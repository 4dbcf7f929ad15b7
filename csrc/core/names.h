// names.h -- names as numbers: a table from bytes to 0, 1, 2, ... in order of first appearance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/memory.h"

namespace fastcal {

// A hash of bytes: not the same on all machines, so that nothing may depend on it.
std::uint32_t hash_name(const char* name, std::size_t length);

// Names and their numbers, one after another, at places that are multiples of 4 bytes and not 0. A name is followed by '\n',
// which no name may hold; none is empty, and none ever moves.
class NameTexts {
 private:
  struct Piece {
    explicit Piece(std::size_t size) : bytes(size) {}
    char* data() const { return reinterpret_cast<char*>(bytes.data()); }
    Pages bytes;
    Piece* next = nullptr;
  };

 public:
  static constexpr std::size_t kNumber = sizeof(std::uint32_t);  // bytes before the name

  // Goes over the names while others are added: next() may be called for each name whose add() has ended.
  class Cursor {
   public:
    std::string_view next(const NameTexts& texts);

   private:
    const Piece* piece_ = nullptr;
    const char* at_ = nullptr;
  };

  NameTexts();
  NameTexts(const NameTexts&) = delete;
  NameTexts& operator=(const NameTexts&) = delete;

  // Where the name is now. Throws std::length_error beyond 16 GiB.
  std::uint32_t add(const char* name, std::size_t length, std::uint32_t number);
  // A number, and behind it the name; 8 bytes behind that may be read.
  const char* at(std::uint32_t place) const { return pieces_[place >> kPieceBits]->data() + std::size_t{4} * (place & kPieceMask); }

 private:
  static constexpr int kPieceBits = 20;  // a name begins in the first 4 MiB of its piece
  static constexpr std::uint32_t kPieceMask = (std::uint32_t{1} << kPieceBits) - 1;

  void make_room(std::size_t n);

  std::vector<std::unique_ptr<Piece>> pieces_;
  Piece* first_ = nullptr;
  std::size_t at_ = 0, end_ = 0;  // in the last piece
};

// Open addressing with linear probing. The place of a slot comes from the high bits of the hash, so a table that doubles
// is read and written in order.
class NameTable {
 public:
  const NameTexts& texts() const { return texts_; }  // in order of their numbers
  std::size_t size() const { return size_; }

  // Room for `n` more names. Throws std::length_error beyond 2^32 - 1 names.
  void make_room(std::size_t n);

  // The number of a name, a new one if it is new, in three steps, so that memory can be asked for the names of many at once:
  // the slot; when that has come, where to begin, which stays true until the next make_room; then the number.
  void prefetch_slot(std::uint32_t hash) const { __builtin_prefetch(slots() + (hash >> shift_)); }
  std::size_t begin(std::size_t length, std::uint32_t hash) const;
  std::uint32_t number(const char* name, std::size_t length, std::uint32_t hash, std::size_t begin);
  // All of them at once.
  std::uint32_t number(std::string_view name);

 private:
  struct Slot {
    std::uint32_t place, hash;  // place 0: empty
  };

  void rehash(int shift);
  Slot* slots() const { return slots_ ? reinterpret_cast<Slot*>(slots_->data()) : nullptr; }
  std::size_t capacity() const { return slots_ ? std::size_t{1} << (32 - shift_) : 0; }

  std::optional<Pages> slots_;
  int shift_ = 32;
  std::size_t size_ = 0;
  NameTexts texts_;
};

}  // namespace fastcal
