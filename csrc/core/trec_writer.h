// trec_writer.h -- the lines of a TREC run: query Q0 document rank score tag.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/lists.h"
#include "core/memory.h"
#include "core/parallel.h"

namespace fastcal {

// Writes the shortest decimal number that reads back as `score`: digits with a point for 1e-4 <= |score| < 1e16 and for 0,
// else one digit, more behind a point, and an exponent of at least two digits; inf, nan.
// At most kScoreBytes bytes; returns their end.
inline constexpr std::size_t kScoreBytes = 32;
char* write_score(float score, char* out);

// Names joined by line ends.
class Names {
 public:
  explicit Names(std::string text);
  std::string_view operator[](std::size_t number) const {
    return std::string_view(text_).substr(starts_[number], starts_[number + 1] - starts_[number] - 1);
  }
  std::size_t size() const { return starts_.size() - 1; }
  void prefetch_start(std::size_t number) const { __builtin_prefetch(&starts_[number]); }
  void prefetch_text(std::size_t number) const { __builtin_prefetch(text_.data() + starts_[number]); }

 private:
  std::string text_;
  std::vector<std::size_t> starts_;
};

class TrecWriter {
 public:
  // Without names documents are written as numbers.
  TrecWriter(std::string queries, std::string documents, bool named, std::string tag)
      : queries_(std::move(queries)), documents_(std::move(documents)), named_(named), tag_(std::move(tag)) {}

  const Names& queries() const { return queries_; }
  const Names& documents() const { return documents_; }
  bool named() const { return named_; }

  // The lines of the entries [begin, end) of all lists.
  void lines(const std::int64_t* ids, const float* scores, Offsets offsets, std::size_t begin, std::size_t end, std::string& out,
             const CallContext& context) const;

 private:
  void append(const std::int64_t* ids, const float* scores, Offsets offsets, std::size_t begin, std::size_t end, GrowingBytes& out) const;

  Names queries_, documents_;
  bool named_;
  std::string tag_;
};

}  // namespace fastcal
