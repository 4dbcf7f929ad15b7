// row_numbers.cpp -- keys in ascending order number themselves; others go through a table of the distinct ones, which alone are sorted.
#include <bit>
#include <numeric>
#include <optional>
#include <vector>

#include "core/grouped.h"
#include "core/memory.h"

namespace fastcal {
namespace {

// Numbers rows whose keys never fall; nothing if one does.
template <typename Keys>
std::optional<std::size_t> number_ascending(const Keys& keys, std::size_t n, std::int32_t* codes, std::int32_t* firsts, StopToken& stop) {
  std::int32_t code = -1;
  bool falls = false;
  in_stoppable_pieces(n, stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end && !falls; ++i) {
      const int order = i == 0 ? 1 : keys.compare(i, i - 1);
      falls = order < 0;
      if (order > 0) firsts[++code] = static_cast<std::int32_t>(i);
      codes[i] = code;
    }
  });
  if (falls) return std::nullopt;
  return static_cast<std::size_t>(code + 1);
}

// Integers that fill a good part of their range: a table of the range.
std::optional<std::size_t> number_dense(const IntegerKeys& keys, std::size_t n, std::int32_t* codes, std::int32_t* firsts,
                                        StopToken& stop) {
  const auto [low, high] = std::minmax_element(keys.values, keys.values + n);
  const auto least = static_cast<std::uint64_t>(*low), range = static_cast<std::uint64_t>(*high) - least;
  if (range >= std::max<std::uint64_t>(16 * n, 1 << 16)) return std::nullopt;
  const Pages memory((static_cast<std::size_t>(range) + 1) * sizeof(std::uint32_t));
  auto* const table = reinterpret_cast<std::uint32_t*>(memory.data());
  const auto place = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<std::uint64_t>(keys.values[i]) - least); };
  in_stoppable_pieces(n, stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      std::uint32_t& first = table[place(i)];
      if (first == 0) first = static_cast<std::uint32_t>(i + 1);
    }
  });
  std::uint32_t code = 0;
  for (std::size_t at = 0; at <= range; ++at) {
    if (table[at] == 0) continue;
    firsts[code] = static_cast<std::int32_t>(table[at] - 1);
    table[at] = code++;
  }
  in_stoppable_pieces(n, stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) codes[i] = static_cast<std::int32_t>(table[place(i)]);
  });
  return code;
}

// Open addressing; codes in order of first appearance.
template <typename Keys>
class Numbering {
 public:
  Numbering(const Keys& keys, std::int32_t* firsts) : keys_(keys), firsts_(firsts), slots_(kSmallest) {}

  std::int32_t code(std::size_t row) {
    const std::uint64_t hash = keys_.hash(row);
    for (std::size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      const Slot slot = slots_[at];
      if (slot.code < 0) return insert(at, hash, row);
      if (slot.hash == hash && (Keys::kHashIsKey || keys_.compare(first(slot.code), row) == 0)) return slot.code;
    }
  }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kSmallest = 1 << 10;
  struct Slot {
    std::uint64_t hash = 0;
    std::int32_t code = -1;
  };

  std::size_t first(std::int32_t code) const { return static_cast<std::size_t>(firsts_[code]); }
  std::int32_t insert(std::size_t at, std::uint64_t hash, std::size_t row) {
    const auto code = static_cast<std::int32_t>(size_);
    firsts_[size_++] = static_cast<std::int32_t>(row);
    slots_[at] = {hash, code};
    if (2 * size_ > slots_.size()) grow();
    return code;
  }
  void grow() {
    std::vector<Slot> larger(4 * slots_.size());
    for (const Slot& slot : slots_) {
      if (slot.code < 0) continue;
      std::size_t at = slot.hash & (larger.size() - 1);
      while (larger[at].code >= 0) at = (at + 1) & (larger.size() - 1);
      larger[at] = slot;
    }
    slots_.swap(larger);
  }

  const Keys& keys_;
  std::int32_t* firsts_;
  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

template <typename Keys>
std::size_t number_hashed(const Keys& keys, std::size_t n, std::int32_t* codes, std::int32_t* firsts, StopToken& stop) {
  Numbering<Keys> numbering(keys, firsts);
  in_stoppable_pieces(n, stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) codes[i] = i > 0 && keys.compare(i, i - 1) == 0 ? codes[i - 1] : numbering.code(i);
  });
  const std::size_t groups = numbering.size();
  std::vector<std::int32_t> order(groups), rank(groups);
  std::iota(order.begin(), order.end(), 0);
  const auto row = [firsts](std::int32_t code) { return static_cast<std::size_t>(firsts[code]); };
  std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return keys.compare(row(a), row(b)) < 0; });
  for (std::size_t r = 0; r < groups; ++r) rank[static_cast<std::size_t>(order[r])] = static_cast<std::int32_t>(r);
  for (std::int32_t& code : order) code = firsts[code];
  std::copy(order.begin(), order.end(), firsts);
  in_stoppable_pieces(n, stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) codes[i] = rank[static_cast<std::size_t>(codes[i])];
  });
  return groups;
}

std::optional<std::size_t> number_compactly(const IntegerKeys& keys, std::size_t n, std::int32_t* codes, std::int32_t* firsts,
                                            StopToken& stop) {
  return number_dense(keys, n, codes, firsts, stop);
}
template <typename Offset>
std::optional<std::size_t> number_compactly(const TextKeys<Offset>&, std::size_t, std::int32_t*, std::int32_t*, StopToken&) {
  return std::nullopt;
}

}  // namespace

std::size_t number_rows(const RowKeys& keys, std::size_t n, std::int32_t* codes, std::int32_t* firsts, StopToken& stop) {
  return std::visit(
      [&](const auto& of) {
        auto groups = number_ascending(of, n, codes, firsts, stop);
        if (!groups) groups = number_compactly(of, n, codes, firsts, stop);
        return groups ? *groups : number_hashed(of, n, codes, firsts, stop);
      },
      keys);
}

}  // namespace fastcal
