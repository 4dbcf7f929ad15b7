// trec_piece.cpp -- from text to fields: one bit for each place where a field begins or ends, then bit after bit.
#include <bit>
#include <cstring>
#include <stdexcept>

#include "core/check.h"
#include "core/fields.h"
#include "core/trec.h"

namespace fastcal {
namespace {

constexpr std::size_t kBlock = 64;
constexpr std::uint64_t kLow = 0x7f7f7f7f7f7f7f7f, kHigh = 0x8080808080808080;

constexpr std::uint64_t in_each_byte(std::uint64_t byte) {
  return byte * 0x0101010101010101;
}

// The high bit of each byte that is a space or one of \t \n \v \f \r; sums of seven bits never carry into the next byte.
std::uint64_t spaces(std::uint64_t bytes) {
  const std::uint64_t low = bytes & kLow, other = low ^ in_each_byte(' ');
  const std::uint64_t not_space = other + kLow;
  const std::uint64_t from_tab = low + in_each_byte(0x80 - '\t'), beyond_return = low + in_each_byte(0x80 - '\r' - 1);
  return (~not_space | (from_tab & ~beyond_return)) & ~bytes & kHigh;
}

// The first byte is the lowest.
std::uint64_t load_word(const char* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return std::endian::native == std::endian::little ? word : __builtin_bswap64(word);
}

// Bit i for byte i of 64; `all` collects the bytes.
std::uint64_t space_bits(const char* block, std::uint64_t& all) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < kBlock / 8; ++i) {
    const std::uint64_t bytes = load_word(block + 8 * i);
    all |= bytes;
    bits |= (((spaces(bytes) >> 7) * 0x0102040810204080) >> 56) << (8 * i);
  }
  return bits;
}

// Marks the first byte of each field and the first one behind it, and at the end a byte outside. Whether the text is ASCII.
bool find_edges(std::string_view text, std::vector<std::uint64_t>& edges) {
  std::uint64_t all = 0, before = 1;  // a line end stands before the text
  edges.clear();
  const auto add = [&](const char* block) {
    const std::uint64_t bits = space_bits(block, all);
    edges.push_back(bits ^ (bits << 1 | before));
    before = bits >> 63;
  };
  std::size_t at = 0;
  for (; text.size() - at >= kBlock; at += kBlock) add(text.data() + at);
  if (at < text.size()) {
    char last[kBlock];
    std::memset(last, '\n', kBlock);
    std::memcpy(last, text.data() + at, text.size() - at);
    add(last);
  }
  edges.push_back(1);
  return (all & kHigh) == 0;
}

class Edges {
 public:
  explicit Edges(const std::vector<std::uint64_t>& words) : word_(words.data()), bits_(*word_) {}
  std::size_t next() {
    while (bits_ == 0) {
      bits_ = *++word_;
      base_ += kBlock;
    }
    const std::size_t at = base_ + static_cast<std::size_t>(std::countr_zero(bits_));
    bits_ &= bits_ - 1;
    return at;
  }

 private:
  const std::uint64_t* word_;
  std::uint64_t bits_;
  std::size_t base_ = 0;
};

bool holds_line_end(std::string_view gap) {
  return gap.size() == 1 ? gap[0] == '\n' : gap.find('\n') != std::string_view::npos;
}

// Fields of one line after another.
template <std::size_t kFields>
class Lines {
 public:
  Lines(std::string_view text, const std::vector<std::uint64_t>& edges) : text_(text), edges_(edges), start_(edges_.next()) {}

  bool at_end() const { return line_ == text_.size(); }
  const char* line() const { return text_.data() + line_; }
  std::string_view whole() const { return text_.substr(line_, next_ - line_); }
  std::string_view operator[](std::size_t field) const { return fields_[field]; }

  // Reads the fields of this line; false if their number is another one.
  bool read() {
    if (start_ != line_ && holds_line_end(text_.substr(line_, std::min(start_, text_.size()) - line_))) return false;
    for (std::size_t field = 0; field < kFields; ++field) {
      const std::size_t end = edges_.next();
      fields_[field] = {text_.data() + start_, end - start_};
      if (field + 1 == kFields) return ends_at(end);
      start_ = edges_.next();
      if (holds_line_end(text_.substr(end, start_ - end))) return false;
    }
    return false;
  }
  void advance() { line_ = next_; }

 private:
  bool ends_at(std::size_t end) {
    next_ = end + (text_[end] == '\n' ? 0 : text_.substr(end).find_first_not_of(" \t\v\f\r")) + 1;
    start_ = edges_.next();
    return text_[next_ - 1] == '\n';
  }

  std::string_view text_;
  Edges edges_;
  std::size_t start_, line_ = 0, next_ = 0;
  std::string_view fields_[kFields];
};

bool read_value(std::string_view field, bool integer, std::uint32_t& out) {
  if (integer) {
    std::int32_t value = 0;
    const bool good = read_int32(field, value);
    out = std::bit_cast<std::uint32_t>(value);
    return good;
  }
  float value = 0.0f;
  const bool good = read_float32(field, value);
  out = std::bit_cast<std::uint32_t>(value);
  return good;
}

template <std::size_t kFields>
void parse_lines(std::string_view text, const TrecLayout& layout, bool ascii, TrecPiece& out) {
  std::string_view query;
  for (Lines<kFields> lines(text, out.edges); !lines.at_end(); lines.advance()) {
    std::uint32_t value;
    if (!lines.read() || !read_value(lines[layout.value], layout.integer, value) || (!ascii && !is_utf8(lines.whole()))) {
      out.malformed = lines.line();
      return;
    }
    if (out.lines.empty() || lines[0] != query) {
      query = lines[0];
      out.queries.push_back({out.lines.size(), query});
    }
    const std::string_view document = lines[layout.document];
    out.lines.push_back({document.data(), static_cast<std::uint32_t>(document.size()), hash_name(document.data(), document.size()), value});
  }
}

}  // namespace

void TrecPiece::parse(std::string_view text, const TrecLayout& layout) {
  FASTCAL_ASSERT(!text.empty() && text.back() == '\n');
  if (text.size() >= ~std::uint32_t{0}) throw std::length_error("a line has more than 2^32 - 2 bytes");
  lines.clear();
  queries.clear();
  malformed = nullptr;
  const bool ascii = find_edges(text, edges);
  if (layout.fields == kTrecRun.fields)
    parse_lines<kTrecRun.fields>(text, layout, ascii, *this);
  else
    parse_lines<kTrecQrels.fields>(text, layout, ascii, *this);
}

}  // namespace fastcal
