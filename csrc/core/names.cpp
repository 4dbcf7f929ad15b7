// names.cpp -- the table grows by doubling; names are never moved apart from their text as a whole.
#include "core/names.h"

#include <cstdlib>
#include <new>
#include <stdexcept>

namespace fastcal {
namespace {

std::uint64_t load(const char* bytes, std::size_t n) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, n);
  return word;
}

// Both halves of the 128-bit product, folded.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::uint32_t hash_name(const char* name, std::size_t length) {
  constexpr std::uint64_t kFirst = 0x9e3779b97f4a7c15, kSecond = 0xbf58476d1ce4e5b9, kThird = 0x94d049bb133111eb;
  std::uint64_t state = kFirst ^ length;
  std::size_t at = 0;
  for (; length - at > 16; at += 16) state = mix(load(name + at, 8) ^ kSecond, load(name + at + 8, 8) ^ state);
  const std::size_t left = length - at;  // at most 16 bytes: two words that may overlap
  std::uint64_t low, high;
  if (left >= 8) {
    low = load(name + at, 8);
    high = load(name + length - 8, 8);
  } else if (left >= 4) {
    low = load(name + at, 4);
    high = load(name + length - 4, 4);
  } else {
    low = load(name + at, left);
    high = 0;
  }
  state = mix(low ^ kSecond, high ^ state);
  return static_cast<std::uint32_t>(mix(state, kThird) >> 32);
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

NameTable::~NameTable() {
  std::free(slots_);
}

bool NameTable::holds(const Slot& slot, const char* name, std::size_t length, std::uint32_t hash) const {
  return slot.hash == hash && slot.position + length < text_.size() && text_.data()[slot.position + length] == '\n' &&
         std::memcmp(text_.data() + slot.position, name, length) == 0;
}

void NameTable::prefetch_name(std::size_t length, std::uint32_t hash) const {
  const std::size_t mask = slots() - 1;
  std::size_t at = hash >> shift_;
  while (slots_[at].number != kEmpty && slots_[at].hash != hash) at = (at + 1) & mask;
  const char* const name = text_.data() + slots_[at].position;
  __builtin_prefetch(name);
  __builtin_prefetch(name + length);
}

std::uint32_t NameTable::number(const char* name, std::size_t length, std::uint32_t hash) {
  const std::size_t mask = slots() - 1;
  std::size_t at = hash >> shift_;
  for (; slots_[at].number != kEmpty; at = (at + 1) & mask)
    if (holds(slots_[at], name, length, hash)) return slots_[at].number;
  const std::uint32_t number = static_cast<std::uint32_t>(size_++);
  slots_[at] = {text_.size(), hash, number};
  char* const place = text_.extend(length + 1);
  std::memcpy(place, name, length);
  place[length] = '\n';
  return number;
}

void NameTable::make_room(std::size_t n) {
  const std::size_t wanted = size_ + n;
  if (wanted >= kEmpty) throw std::length_error("more than 2^32 - 2 different names");
  int shift = shift_ == 32 ? 22 : shift_;
  while (shift > 0 && wanted > (std::size_t{1} << (32 - shift)) / 4 * 3) --shift;
  if (shift < shift_) rehash(shift);
}

void NameTable::rehash(int shift) {
  const std::size_t count = std::size_t{1} << (32 - shift), bytes = count * sizeof(Slot), before = slots();
  Slot* const grown = static_cast<Slot*>(std::aligned_alloc(64, bytes));
  if (grown == nullptr) throw std::bad_alloc();
  for (std::size_t i = 0; i < count; ++i) grown[i].position = 0, grown[i].number = kEmpty;
  for (std::size_t i = 0; i < before; ++i) {
    if (slots_[i].number == kEmpty) continue;
    std::size_t at = slots_[i].hash >> shift;
    while (grown[at].number != kEmpty) at = (at + 1) & (count - 1);
    grown[at] = slots_[i];
  }
  std::free(slots_);
  slots_ = grown;
  shift_ = shift;
}

}  // namespace fastcal
