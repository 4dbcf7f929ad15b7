// names.cpp -- the table grows by doubling; names stay where they are.
#include "core/names.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace fastcal {
namespace {

constexpr std::size_t kStart = 4, kSlack = 8;

// The bytes of a number and a name, up to the next place.
constexpr std::size_t whole(std::size_t n) {
  return (n + 3) / 4 * 4;
}

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

// Is `stored`, which ends with '\n', this name? Bytes up to the first word that differs are read.
bool is_name(const char* stored, const char* name, std::size_t length) {
  std::size_t at = 0;
  for (; length - at >= 8; at += 8)
    if (load(stored + at, 8) != load(name + at, 8)) return false;
  if (length >= 8 && load(stored + length - 8, 8) != load(name + length - 8, 8)) return false;
  for (; length < 8 && at < length; ++at)
    if (stored[at] != name[at]) return false;
  return stored[length] == '\n';
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

NameTexts::NameTexts() {
  make_room(0);
}

// An empty name marks the end of a piece. No name begins at place 0.
void NameTexts::make_room(std::size_t n) {
  if (pieces_.size() >> (32 - kPieceBits) != 0) throw std::length_error("more than 16 GiB of names");
  const std::size_t before = pieces_.empty() ? 0 : pieces_.back()->bytes.size();
  auto piece = std::make_unique<Piece>(std::max(n + kStart, next_piece(before)));
  if (pieces_.empty()) {
    first_ = piece.get();
  } else {
    pieces_.back()->data()[at_ + kNumber] = '\n';
    pieces_.back()->next = piece.get();
  }
  pieces_.push_back(std::move(piece));
  at_ = kStart;
  end_ = pieces_.back()->bytes.size();
}

std::uint32_t NameTexts::add(const char* name, std::size_t length, std::uint32_t number) {
  const std::size_t n = whole(kNumber + length + 1);
  if (end_ - at_ < n + kSlack) make_room(n + kSlack);
  char* const place = pieces_.back()->data() + at_;
  std::memcpy(place, &number, kNumber);
  std::memcpy(place + kNumber, name, length);
  place[kNumber + length] = '\n';
  return static_cast<std::uint32_t>((pieces_.size() - 1) << kPieceBits | std::exchange(at_, at_ + n) / 4);
}

std::string_view NameTexts::Cursor::next(const NameTexts& texts) {
  if (piece_ == nullptr || at_[kNumber] == '\n') {
    piece_ = piece_ == nullptr ? texts.first_ : piece_->next;
    at_ = piece_->data() + kStart;
  }
  const char* const name = at_ + kNumber;
  const auto left = static_cast<std::size_t>(piece_->data() + piece_->bytes.size() - name);
  const auto length = static_cast<std::size_t>(static_cast<const char*>(std::memchr(name, '\n', left)) - name);
  at_ += whole(kNumber + length + 1);
  return {name, length};
}

// The first slot that is empty or has this hash.
std::size_t NameTable::begin(std::size_t length, std::uint32_t hash) const {
  const Slot* const slot = slots();
  const std::size_t mask = capacity() - 1;
  std::size_t at = hash >> shift_;
  while (slot[at].place != 0 && slot[at].hash != hash) at = (at + 1) & mask;
  const char* const found = texts_.at(slot[at].place);
  __builtin_prefetch(found);
  __builtin_prefetch(found + NameTexts::kNumber + length);
  return at;
}

std::uint32_t NameTable::number(const char* name, std::size_t length, std::uint32_t hash, std::size_t begin) {
  Slot* const slot = slots();
  const std::size_t mask = capacity() - 1;
  std::size_t at = begin;
  for (; slot[at].place != 0; at = (at + 1) & mask) {
    if (slot[at].hash != hash) continue;
    const char* const found = texts_.at(slot[at].place);
    std::uint32_t number;
    std::memcpy(&number, found, NameTexts::kNumber);
    if (is_name(found + NameTexts::kNumber, name, length)) return number;
  }
  const std::uint32_t number = static_cast<std::uint32_t>(size_++);
  slot[at] = {texts_.add(name, length, number), hash};
  return number;
}

std::uint32_t NameTable::number(std::string_view name) {
  const std::uint32_t hash = hash_name(name.data(), name.size());
  return number(name.data(), name.size(), hash, begin(name.size(), hash));
}

void NameTable::make_room(std::size_t n) {
  const std::size_t wanted = size_ + n;
  if (wanted >= ~std::uint32_t{0}) throw std::length_error("more than 2^32 - 2 different names");
  int shift = shift_ == 32 ? 22 : shift_;
  while (shift > 0 && wanted > (std::size_t{1} << (32 - shift)) / 4 * 3) --shift;
  if (shift < shift_) rehash(shift);
}

void NameTable::rehash(int shift) {
  const std::size_t count = std::size_t{1} << (32 - shift), before = capacity();
  Pages memory(count * sizeof(Slot));
  Slot* const grown = reinterpret_cast<Slot*>(memory.data());
  for (const Slot *slot = slots(), *const end = slot + before; slot != end; ++slot) {
    if (slot->place == 0) continue;
    std::size_t at = slot->hash >> shift;
    while (grown[at].place != 0) at = (at + 1) & (count - 1);
    grown[at] = *slot;
  }
  slots_.emplace(std::move(memory));
  shift_ = shift;
}

}  // namespace fastcal
