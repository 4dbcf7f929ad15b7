// digest.inl.h -- 64 bits that change when bytes change: what a file or a row held when it was last known to be right.
//
// Word i (little-endian 32 bits, the last one padded with zeros) becomes v = (w + (i + 1) key) c1, v ^= v >> 15, which the
// first sum adds up; then v c2, v ^= v >> 13 for the second sum. Every step is a bijection of one word, so a change inside
// one aligned 4-byte word always changes both sums; the position enters through the key, so words cannot trade places.
// Random damage goes unnoticed once in 2^64; differences made to cancel in one sum (two flipped top bits) are left to the
// other, 2^-32. This guards against accidents, not against forgers.

std::uint64_t digest(const void* bytes, std::size_t n) {
  struct [[gnu::packed, gnu::may_alias]] Word {
    std::uint32_t value;
  };
  const auto* words = static_cast<const Word*>(bytes);
  std::uint32_t first = 0, second = 0;
  const auto add = [&](std::uint32_t word, std::uint32_t i) {
    std::uint32_t v = (word + (i + 1) * 0x9e3779b1u) * 0x85ebca77u;
    v ^= v >> 15;
    first += v;
    v *= 0xc2b2ae3du;
    v ^= v >> 13;
    second += v;
  };
  const auto whole = static_cast<std::uint32_t>(n / sizeof(Word));
  for (std::uint32_t i = 0; i < whole; ++i) add(words[i].value, i);
  if (n % sizeof(Word) != 0) {
    std::uint32_t tail = 0;
    __builtin_memcpy(&tail, words + whole, n % sizeof(Word));
    add(tail, whole);
  }
  return first | static_cast<std::uint64_t>(second) << 32;
}
