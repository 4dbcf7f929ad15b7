// trec.h -- lines of fields between white space, read into numbers: TREC runs and judgements. Nothing here touches a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/memory.h"
#include "core/names.h"
#include "core/parallel.h"

namespace fastcal {

// What a line looks like. Field 0 is the query. The value is a float32 (bits) or an int32.
struct TrecLayout {
  std::size_t fields, document, value;
  bool integer;
};
inline constexpr TrecLayout kTrecRun{6, 2, 4, false}, kTrecQrels{4, 2, 3, true};

// One line, in text that is still there.
struct TrecLine {
  const char* document;
  std::uint32_t length, hash, value;
};

// A line whose query has another name than the line before it.
struct TrecQuery {
  std::size_t line;
  std::string_view name;
};

// The lines of a piece of text; buffers are used again.
struct TrecPiece {
  std::vector<std::uint64_t> edges;
  std::vector<TrecLine> lines;
  std::vector<TrecQuery> queries;
  const char* malformed;  // the first malformed line, or null; lines before it have been read

  // `text` ends with '\n'.
  void parse(std::string_view text, const TrecLayout& layout);
};

// Feed it text; ask it for arrays. Results do not depend on how the text is cut or on the number of threads.
class TrecReader {
 public:
  explicit TrecReader(const TrecLayout& layout) : layout_(layout) {}

  // Reads more text, which must stay as it is until the next call ends: while one text is cut into fields, the names of the
  // one before are numbered. False: a line is malformed, and there is no way on.
  // The calling thread does `meanwhile` first. It may look at the names of documents numbered by then, with a cursor.
  bool feed(std::string_view text, const CallContext& context, const std::function<void()>& meanwhile = {});
  // No more text comes.
  bool finish(const CallContext& context, const std::function<void()>& meanwhile = {});

  std::size_t lines() const { return lines_; }  // read so far
  const std::string& malformed() const { return malformed_; }
  std::size_t stretches() const { return stretch_query_.size(); }
  const NameTable& queries() const { return queries_; }
  const NameTable& documents() const { return documents_; }

  // After finish, once, for memory is given back on the way: the lines in file order, and the stretches of adjacent lines of one query.
  void write(std::span<std::int64_t> ids, std::span<std::uint32_t> values, std::span<std::int64_t> stretch_query,
             std::span<std::int64_t> stretch_start, const CallContext& context);

 private:
  struct Entry {
    std::uint32_t id, value;
  };
  // Entries of adjacent lines, from line `first` on. Chunks never move.
  struct Chunk {
    Entry* entries() const { return reinterpret_cast<Entry*>(bytes.data()); }
    std::size_t first;
    Pages bytes;
  };

  // Text cut at line ends. The first piece may be a line that was cut itself.
  struct Batch {
    std::string joint;
    std::vector<std::string_view> texts;
    std::vector<TrecPiece> pieces;
  };

  void cut(std::string_view text, Batch& batch);
  bool read(Batch& batch, const CallContext& context, const std::function<void()>& meanwhile);
  bool take(const Batch& batch);
  void take(const TrecPiece& piece);
  void number(std::span<const TrecLine> lines, Entry* out);
  Entry* room(std::size_t& n);

  TrecLayout layout_;
  std::string rest_;  // the beginning of a line whose end has not come
  Batch batches_[2];
  std::size_t turn_ = 0;
  NameTable queries_, documents_;
  std::vector<Chunk> chunks_;
  std::vector<std::int64_t> stretch_query_, stretch_start_;
  std::size_t lines_ = 0;
  std::string malformed_;
};

}  // namespace fastcal
