// trec_writer.cpp -- pieces of a fixed number of lines, written by all threads and joined in order.
#include "core/trec_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>

namespace fastcal {
namespace {

constexpr std::size_t kAhead = 16;

char* write_text(std::string_view text, char* out) {
  return std::copy(text.begin(), text.end(), out);
}

char* write_integer(std::int64_t value, char* out) {
  return std::to_chars(out, out + 24, value).ptr;
}

// d.ddde+XX, the shortest form: its digits, and the power of ten of the first one.
struct Decimal {
  char digits[16];
  std::size_t n = 0;
  int exponent;

  explicit Decimal(std::string_view scientific) {
    const std::size_t e = scientific.find('e');
    for (const char c : scientific.substr(0, e))
      if (c != '.') digits[n++] = c;
    exponent = (scientific[e + 2] - '0') * 10 + (scientific[e + 3] - '0');
    if (scientific[e + 1] == '-') exponent = -exponent;
  }
};

}  // namespace

char* write_score(float score, char* out) {
  if (std::signbit(score) && !std::isnan(score)) *out++ = '-';
  const float size = std::fabs(score);
  if (!std::isfinite(size)) return write_text(std::isnan(score) ? "nan" : "inf", out);
  if (size != 0.0f && (size < 1e-4f || size >= 1e16f)) return std::to_chars(out, out + 24, size, std::chars_format::scientific).ptr;
  char text[24];
  const char* const end = std::to_chars(text, text + sizeof text, size, std::chars_format::scientific).ptr;
  const Decimal number({text, static_cast<std::size_t>(end - text)});
  if (number.exponent < 0) {
    out = std::fill_n(write_text("0.", out), -number.exponent - 1, '0');
    return std::copy_n(number.digits, number.n, out);
  }
  const std::size_t whole = static_cast<std::size_t>(number.exponent) + 1, there = std::min(whole, number.n);
  out = std::fill_n(std::copy_n(number.digits, there, out), whole - there, '0');
  *out++ = '.';
  if (there == number.n) *out++ = '0';
  return std::copy_n(number.digits + there, number.n - there, out);
}

Names::Names(std::string text) : text_(std::move(text)) {
  starts_.push_back(0);
  for (std::size_t at = 0; at < text_.size(); starts_.push_back(at)) at = text_.find('\n', at) + 1;
}

void TrecWriter::lines(const std::int64_t* ids, const float* scores, Offsets offsets, std::size_t begin, std::size_t end, std::string& out,
                       const CallContext& context) const {
  constexpr std::size_t kLines = 4096;
  const std::size_t n_pieces = (end - begin + kLines - 1) / kLines;
  const auto pieces = std::make_unique<GrowingBytes[]>(n_pieces);
  parallel_for(n_pieces, context, [&](std::size_t piece, std::size_t) {
    const std::size_t from = begin + piece * kLines;
    append(ids, scores, offsets, from, std::min(end, from + kLines), pieces[piece]);
  });
  std::size_t total = 0;
  for (std::size_t i = 0; i < n_pieces; ++i) total += pieces[i].size();
  out.reserve(total);
  for (std::size_t i = 0; i < n_pieces; ++i) out.append(pieces[i].data(), pieces[i].size());
}

void TrecWriter::append(const std::int64_t* ids, const float* scores, Offsets offsets, std::size_t begin, std::size_t end,
                        GrowingBytes& out) const {
  const auto position = static_cast<std::int64_t>(begin);
  std::size_t list = static_cast<std::size_t>(std::upper_bound(offsets.begin(), offsets.end(), position) - offsets.begin()) - 1;
  const auto number = [&](std::size_t i) { return static_cast<std::size_t>(ids[i]); };
  for (std::size_t i = begin; i < end; ++i) {
    if (named_ && i + 2 * kAhead < end) {  // names come in no order: memory is asked for them ahead
      documents_.prefetch_start(number(i + 2 * kAhead));
      documents_.prefetch_text(number(i + kAhead));
    }
    while (static_cast<std::int64_t>(i) >= offsets[list + 1]) ++list;
    const std::string_view query = queries_[list], document = named_ ? documents_[number(i)] : std::string_view();
    char* at = out.extend(query.size() + document.size() + tag_.size() + kScoreBytes + 64);
    at = write_text(" Q0 ", write_text(query, at));
    at = named_ ? write_text(document, at) : write_integer(ids[i], at);
    *at++ = ' ';
    at = write_integer(static_cast<std::int64_t>(i) - offsets[list] + 1, at);
    *at++ = ' ';
    at = write_score(scores[i], at);
    *at++ = ' ';
    at = write_text(tag_, at);
    *at++ = '\n';
    out.shrink_to(at);
  }
}

}  // namespace fastcal
