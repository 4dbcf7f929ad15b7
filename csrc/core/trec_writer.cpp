// trec_writer.cpp -- pieces of a fixed number of lines, written by all threads and joined in order.
#include "core/trec_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace fastcal {
namespace {

void append_integer(std::int64_t value, std::string& out) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

}  // namespace

void write_score(float score, std::string& out) {
  if (!std::isfinite(score)) {
    out += std::isnan(score) ? "nan" : (score > 0 ? "inf" : "-inf");
    return;
  }
  const float size = std::fabs(score);
  char text[64];
  const auto written = [&](std::chars_format format) {
    return std::string_view(text, static_cast<std::size_t>(std::to_chars(text, text + sizeof text, score, format).ptr - text));
  };
  const std::string_view shortest = written(std::chars_format::scientific);
  if (size != 0.0f && (size < 1e-4f || size >= 1e16f)) {
    out += shortest;
    return;
  }
  // d.ddde+XX: the digits, and where the point goes among them.
  const std::size_t minus = std::signbit(score) ? 1 : 0, e = shortest.find('e');
  std::string_view exponent_text = shortest.substr(e + 1);
  int exponent = (exponent_text[1] - '0') * 10 + (exponent_text[2] - '0');
  if (exponent_text[0] == '-') exponent = -exponent;
  char digits[16];
  std::size_t n = 0;
  for (std::size_t i = minus; i < e; ++i)
    if (shortest[i] != '.') digits[n++] = shortest[i];
  if (minus == 1) out += '-';
  if (exponent < 0) {
    out.append("0.").append(static_cast<std::size_t>(-exponent - 1), '0').append(digits, n);
    return;
  }
  const std::size_t whole = static_cast<std::size_t>(exponent) + 1;
  out.append(digits, std::min(whole, n));
  if (n < whole) out.append(whole - n, '0');
  out += '.';
  if (n > whole)
    out.append(digits + whole, n - whole);
  else
    out += '0';
}

Names::Names(std::string text) : text_(std::move(text)) {
  starts_.push_back(0);
  for (std::size_t at = 0; at < text_.size(); starts_.push_back(at)) at = text_.find('\n', at) + 1;
}

std::string TrecWriter::lines(const std::int64_t* ids, const float* scores, Offsets offsets, std::size_t begin, std::size_t end,
                              const CallContext& context) const {
  constexpr std::size_t kLines = 4096;
  std::vector<std::string> pieces((end - begin + kLines - 1) / kLines);
  parallel_for(pieces.size(), context, [&](std::size_t piece, std::size_t) {
    const std::size_t from = begin + piece * kLines;
    append(ids, scores, offsets, from, std::min(end, from + kLines), pieces[piece]);
  });
  std::size_t total = 0;
  for (const std::string& piece : pieces) total += piece.size();
  std::string joined;
  joined.reserve(total);
  for (const std::string& piece : pieces) joined += piece;
  return joined;
}

void TrecWriter::append(const std::int64_t* ids, const float* scores, Offsets offsets, std::size_t begin, std::size_t end,
                        std::string& out) const {
  const auto position = static_cast<std::int64_t>(begin);
  std::size_t list = static_cast<std::size_t>(std::upper_bound(offsets.begin(), offsets.end(), position) - offsets.begin()) - 1;
  for (std::size_t i = begin; i < end; ++i) {
    while (static_cast<std::int64_t>(i) >= offsets[list + 1]) ++list;
    out.append(queries_[list]).append(" Q0 ");
    if (named_)
      out += documents_[static_cast<std::size_t>(ids[i])];
    else
      append_integer(ids[i], out);
    out += ' ';
    append_integer(static_cast<std::int64_t>(i) - offsets[list] + 1, out);
    out += ' ';
    write_score(scores[i], out);
    out.append(" ").append(tag_).append("\n");
  }
}

}  // namespace fastcal
