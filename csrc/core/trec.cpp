// trec.cpp -- pieces of text are parsed by all threads; names are numbered by one, piece after piece, in file order.
#include "core/trec.h"

#include <algorithm>

#include "core/check.h"

namespace fastcal {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 17;
constexpr std::size_t kAhead = 32;  // names between asking the memory for a slot, for what it points to, and using both

}  // namespace

bool TrecReader::feed(std::string_view text, const CallContext& context, const std::function<void()>& meanwhile) {
  Batch& batch = batches_[turn_];
  cut(text, batch);
  return read(batch, context, meanwhile);
}

bool TrecReader::finish(const CallContext& context, const std::function<void()>& meanwhile) {
  if (!rest_.empty() && !feed("\n", context)) return false;
  batches_[turn_].texts.clear();
  return read(batches_[turn_], context, meanwhile);
}

// Keeps what stands behind the last line end for the next time.
void TrecReader::cut(std::string_view text, Batch& batch) {
  batch.texts.clear();
  batch.joint.clear();
  const std::size_t end = text.rfind('\n') + 1;
  if (end > 0 && !rest_.empty()) {
    const std::size_t first = text.find('\n') + 1;
    batch.joint.swap(rest_);
    batch.joint.append(text.substr(0, first));
    batch.texts.push_back(batch.joint);
    text.remove_prefix(first);
  }
  std::size_t at = 0;
  for (const std::size_t last = text.rfind('\n') + 1; at < last;) {
    const std::size_t stop = text.find('\n', std::min(at + kPieceBytes, last) - 1) + 1;
    batch.texts.push_back(text.substr(at, stop - at));
    at = stop;
  }
  rest_.append(text.substr(at));
}

bool TrecReader::read(Batch& batch, const CallContext& context, const std::function<void()>& meanwhile) {
  const Batch& before = batches_[1 - turn_];
  const std::size_t parsing = before.texts.empty() ? 1 : 2;  // task 0 gives the caller time for `meanwhile`
  if (batch.pieces.size() < batch.texts.size()) batch.pieces.resize(batch.texts.size());
  bool good = true, due = meanwhile != nullptr;
  parallel_for(parsing + batch.texts.size(), context, [&](std::size_t task, std::size_t worker) {
    if (worker == 0 && due) {
      due = false;
      meanwhile();
    }
    if (task >= parsing)
      batch.pieces[task - parsing].parse(batch.texts[task - parsing], layout_);
    else if (task == 1)
      good = take(before);
  });
  if (due) meanwhile();
  turn_ = 1 - turn_;
  return good;
}

bool TrecReader::take(const Batch& batch) {
  for (std::size_t i = 0; i < batch.texts.size(); ++i) {
    const TrecPiece& piece = batch.pieces[i];
    take(piece);
    if (piece.malformed == nullptr) continue;
    const std::string_view text = batch.texts[i].substr(static_cast<std::size_t>(piece.malformed - batch.texts[i].data()));
    malformed_ = text.substr(0, text.find('\n'));
    return false;
  }
  return true;
}

void TrecReader::take(const TrecPiece& piece) {
  queries_.make_room(piece.queries.size());
  for (const auto& [line, name] : piece.queries) {
    const std::int64_t query = queries_.number(name);
    if (!stretch_query_.empty() && stretch_query_.back() == query) continue;
    stretch_query_.push_back(query);
    stretch_start_.push_back(static_cast<std::int64_t>(lines_ + line));
  }
  documents_.make_room(piece.lines.size());
  for (std::span<const TrecLine> lines = piece.lines; !lines.empty();) {
    std::size_t n = lines.size();
    Entry* const out = room(n);
    number(lines.first(n), out);
    lines = lines.subspan(n);
    lines_ += n;
  }
}

void TrecReader::number(std::span<const TrecLine> lines, Entry* out) {
  std::size_t begin[kAhead];
  for (std::size_t i = 0; i < lines.size() + 2 * kAhead; ++i) {
    if (i < lines.size()) documents_.prefetch_slot(lines[i].hash);
    if (i >= 2 * kAhead) {
      const TrecLine& line = lines[i - 2 * kAhead];
      out[i - 2 * kAhead] = {documents_.number(line.document, line.length, line.hash, begin[i % kAhead]), line.value};
    }
    if (i >= kAhead && i - kAhead < lines.size()) begin[i % kAhead] = documents_.begin(lines[i - kAhead].length, lines[i - kAhead].hash);
  }
}

// Room for the entries of the next lines, at most n.
TrecReader::Entry* TrecReader::room(std::size_t& n) {
  const auto capacity = [](const Chunk& chunk) { return chunk.bytes.size() / sizeof(Entry); };
  if (chunks_.empty() || lines_ - chunks_.back().first == capacity(chunks_.back()))
    chunks_.push_back({lines_, Pages(next_piece(chunks_.empty() ? 0 : chunks_.back().bytes.size()))});
  const Chunk& last = chunks_.back();
  const std::size_t used = lines_ - last.first;
  n = std::min(n, capacity(last) - used);
  return last.entries() + used;
}

void TrecReader::write(std::span<std::int64_t> ids, std::span<std::uint32_t> values, std::span<std::int64_t> stretch_query,
                       std::span<std::int64_t> stretch_start, const CallContext& context) {
  FASTCAL_ASSERT(ids.size() == lines_ && values.size() == lines_);
  FASTCAL_ASSERT(stretch_query.size() == stretches() && stretch_start.size() == stretches());
  std::copy(stretch_query_.begin(), stretch_query_.end(), stretch_query.begin());
  std::copy(stretch_start_.begin(), stretch_start_.end(), stretch_start.begin());
  std::vector<Chunk> chunks = std::move(chunks_);
  parallel_for(chunks.size(), context, [&](std::size_t chunk, std::size_t) {
    const std::size_t begin = chunks[chunk].first, end = chunk + 1 < chunks.size() ? chunks[chunk + 1].first : lines_;
    const Entry* const entries = chunks[chunk].entries();
    for (std::size_t i = begin; i < end; ++i) {
      ids[i] = entries[i - begin].id;
      values[i] = entries[i - begin].value;
    }
    chunks[chunk].bytes.free();
  });
}

}  // namespace fastcal
