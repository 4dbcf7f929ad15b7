#include "core/fusion_order.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/sort.h"

namespace fastcal {
namespace {

constexpr std::size_t kRadixFrom = 96;      // below, std::sort is faster (AVX-512 server, Nov 2026)
constexpr int kDigits = 4, kFirstBit = 32;  // bytes of the score, and where it begins within a key

bool same_score(std::uint64_t a, std::uint64_t b) {
  return (a >> 32) == (b >> 32);
}

// Stable, by score alone: keys arrive in order of document numbers.
void sort_keys(std::vector<std::uint64_t>& keys, std::vector<std::uint64_t>& other) {
  if (keys.size() < kRadixFrom) {
    std::sort(keys.begin(), keys.end());
    return;
  }
  std::array<std::array<std::uint32_t, 256>, kDigits> counts{};
  for (const std::uint64_t key : keys)
    for (int digit = 0; digit < kDigits; ++digit) ++counts[static_cast<std::size_t>(digit)][(key >> (kFirstBit + 8 * digit)) & 255];
  other.resize(keys.size());
  for (int digit = 0; digit < kDigits; ++digit) {
    const int shift = kFirstBit + 8 * digit;
    std::array<std::uint32_t, 256>& starts = counts[static_cast<std::size_t>(digit)];
    if (starts[(keys[0] >> shift) & 255] == keys.size()) continue;  // every key has this digit
    std::uint32_t sum = 0;
    for (std::uint32_t& start : starts) sum += std::exchange(start, sum);
    for (const std::uint64_t key : keys) other[starts[(key >> shift) & 255]++] = key;
    keys.swap(other);
  }
}

// Keeps the best and all that tie with the last of them, in their order.
void keep_best(std::vector<std::uint64_t>& keys, std::vector<std::uint64_t>& other, std::size_t wanted) {
  other = keys;
  const auto last = other.begin() + static_cast<std::ptrdiff_t>(wanted - 1);
  std::nth_element(other.begin(), last, other.end());
  const std::uint64_t cut = *last | 0xffffffffu;
  std::erase_if(keys, [cut](std::uint64_t key) { return key > cut; });
}

}  // namespace

std::span<const std::uint32_t> DocumentOrder::rank(std::span<const FusedDocument> documents, std::span<const float> scores, FuseTies ties,
                                                   std::int64_t top_k) {
  const std::size_t n = documents.size();
  const std::size_t wanted = top_k < 0 ? n : std::min(n, static_cast<std::size_t>(top_k));
  keys_.resize(n);
  for (std::size_t i = 0; i < n; ++i) keys_[i] = static_cast<std::uint64_t>(~order_key(scores[i])) << 32 | i;
  if (wanted > 0 && wanted < n) keep_best(keys_, other_, wanted);
  if (wanted > 0) sort_keys(keys_, other_);
  const auto goes_before = [&](std::uint64_t left, std::uint64_t right) {
    const FusedDocument &a = documents[left & 0xffffffffu], &b = documents[right & 0xffffffffu];
    if (ties == FuseTies::source && a.first_run != b.first_run) return a.first_run < b.first_run;
    return ties == FuseTies::id_desc ? a.id > b.id : a.id < b.id;
  };
  for (std::size_t begin = 0, end = 0; begin < keys_.size(); begin = end) {
    for (end = begin + 1; end < keys_.size() && same_score(keys_[begin], keys_[end]);) ++end;
    const auto at = keys_.begin();
    if (end - begin > 1) std::sort(at + static_cast<std::ptrdiff_t>(begin), at + static_cast<std::ptrdiff_t>(end), goes_before);
  }
  ranked_.resize(wanted);
  for (std::size_t i = 0; i < wanted; ++i) ranked_[i] = static_cast<std::uint32_t>(keys_[i]);
  return ranked_;
}

}  // namespace fastcal
