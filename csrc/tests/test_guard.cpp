// test_guard.cpp -- digests, and sketches and rows in somebody else's memory that are checked where they are touched.
#include "core/guard.h"

#include <cstring>
#include <thread>

#include "core/digest.h"
#include "core/search.h"
#include "core/sketch.h"
#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

constexpr std::size_t kDim = 32, kRows = 6000, kBest = 5, kChunk = 4096;

// docs/numerics.md, word by word.
std::uint64_t reference_digest(const std::vector<std::byte>& bytes) {
  std::uint32_t first = 0, second = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    std::uint32_t word = 0;
    for (std::size_t b = 0; b < 4 && i + b < bytes.size(); ++b) word |= static_cast<std::uint32_t>(bytes[i + b]) << 8 * b;
    std::uint32_t v = (word + (static_cast<std::uint32_t>(i / 4) + 1) * 0x9e3779b1u) * 0x85ebca77u;
    v ^= v >> 15;
    first += v;
    v *= 0xc2b2ae3du;
    second += v ^ v >> 13;
  }
  return first | static_cast<std::uint64_t>(second) << 32;
}

void check_digests(const KernelTable& table, std::mt19937& random) {
  for (std::size_t n = 0; n < 300; n += n < 80 ? 1 : 13) {
    std::vector<std::byte> bytes(n + 1);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random());
    const std::vector<std::byte> shifted(bytes.begin() + 1, bytes.end());
    CHECK(table.digest(bytes.data() + 1, n) == reference_digest(shifted));  // an odd address
  }
}

// A corpus, its sketch and its rows copied into one buffer as a file would hold them.
struct File {
  File(const KernelTable& table, std::mt19937& random) : rows(random_vectors(random, kRows * kDim)) {
    Uninterrupted call;
    std::atomic<std::size_t> done{0};
    std::vector<double> norms(kRows);
    std::vector<std::uint64_t> digests(kRows);
    Sketch built(kDim, kRows, Metric::dot);
    CHECK(built.build(table, view(rows.data()), norms.data(), done, call.with(2), digests.data()) == -1);
    for (std::size_t i = 0; i < kRows; i += 501) CHECK(digests[i] == table.digest(&rows[i * kDim], kDim * sizeof(float)));
    size4 = built.n_blocks() * built.layout().record4(), size7 = built.n_blocks() * built.layout().record7();
    data.resize(size4 + size7 + rows.size() * sizeof(float));
    std::memcpy(data.data(), built.records4(), size4);
    std::memcpy(data.data() + size4, built.records7(), size7);
    std::memcpy(data.data() + size4 + size7, rows.data(), rows.size() * sizeof(float));
    frame = built.frame();
    chunks.resize((data.size() + kChunk - 1) / kChunk);
    for (std::size_t i = 0; i < chunks.size(); ++i) chunks[i] = table.digest(&data[i * kChunk], std::min(kChunk, data.size() - i * kChunk));
  }

  static Corpus view(const void* at, const Guard* guard = nullptr) {
    return {static_cast<const std::byte*>(at), kDim * sizeof(float), kRows, kDim, Element::float32, guard};
  }
  Sketch sketch(const Guard& guard) const {
    const auto* at = reinterpret_cast<const std::uint8_t*>(data.data());
    return {kRows, frame, at, at + size4, &guard};
  }
  const std::byte* stored_rows() const { return data.data() + size4 + size7; }

  std::vector<float> rows;
  SketchFrame frame{kDim, Metric::dot};
  std::size_t size4, size7;
  std::vector<std::byte> data;
  std::vector<std::uint64_t> chunks;
};

// What a guarded search finds, and whether it ran into damage.
struct Found {
  std::vector<float> scores = std::vector<float>(12 * kBest);
  std::vector<std::int64_t> ids = std::vector<std::int64_t>(12 * kBest);
  bool damaged = false;
  std::size_t begin = 0;
};

Found search(const KernelTable& table, const File& file, const Guard& guard, const std::vector<float>& queries, std::size_t n,
             int threads) {
  const Sketch sketch = file.sketch(guard);
  Found found;
  Uninterrupted call;
  try {
    topk({table, {queries.data(), n}, File::view(file.stored_rows(), &guard), Metric::dot, nullptr, nullptr, &sketch},
         {found.scores.data(), found.ids.data(), kBest, kBest, kBest}, call.with(threads));
  } catch (const DamagedBytes& damage) {
    CHECK(damage.name == "some.index" && damage.end > damage.begin);
    found.damaged = true;
    found.begin = damage.begin;
  }
  return found;
}

void check_guarded_search(const KernelTable& table, std::mt19937& random) {
  File file(table, random);
  const std::vector<float> queries = random_vectors(random, 12 * kDim);
  for (const std::size_t n : {std::size_t{1}, std::size_t{12}}) {  // through the half-byte codes, and past them
    Found expected;
    Uninterrupted call;
    topk({table, {queries.data(), n}, File::view(file.rows.data()), Metric::dot},
         {expected.scores.data(), expected.ids.data(), kBest, kBest, kBest}, call.with(1));
    const Guard guard(table, file.data, kChunk, file.chunks, "some.index", 640);
    std::vector<Found> found(8);
    std::vector<std::thread> callers;
    for (std::size_t c = 0; c < found.size(); ++c)
      callers.emplace_back([&, c] { found[c] = search(table, file, guard, queries, n, 1 + static_cast<int>(c % 3)); });
    for (std::thread& caller : callers) caller.join();
    for (const Found& one : found) CHECK(!one.damaged && one.ids == expected.ids && one.scores == expected.scores);

    std::size_t noticed = 0;
    const auto best_row = static_cast<std::size_t>(expected.ids[0]) * kDim * sizeof(float) + file.size4 + file.size7;
    for (const std::size_t at : {std::size_t{0}, file.size4 / 2, file.size4 + file.size7 / 2, best_row, file.data.size() - 1}) {
      file.data[at] ^= std::byte{4};
      const Guard strict(table, file.data, kChunk, file.chunks, "some.index", 640);
      const Found one = search(table, file, strict, queries, n, 3);
      CHECK(one.damaged ? one.begin == 640 + at / kChunk * kChunk : one.ids == expected.ids && one.scores == expected.scores);
      CHECK(one.damaged || at != best_row);
      CHECK(one.damaged || n > 1 || at > file.size4 / 2);
      noticed += one.damaged;
      file.data[at] ^= std::byte{4};
    }
    CHECK(noticed >= 2);
  }
}

void check_ranges(const KernelTable& table) {
  std::vector<std::byte> data(2 * kChunk + 10);
  std::vector<std::uint64_t> chunks{table.digest(data.data(), kChunk), table.digest(data.data(), kChunk), table.digest(data.data(), 10)};
  data[kChunk] = std::byte{1};
  const Guard guard(table, data, kChunk, chunks, "some.index", 0);
  const auto refuses = [&](const void* begin, std::size_t bytes) {
    try {
      guard.require(begin, bytes);
      return false;
    } catch (const DamagedBytes& damage) {
      return damage.begin == kChunk && damage.end == 2 * kChunk;
    }
  };
  CHECK(!refuses(data.data(), kChunk));
  CHECK(refuses(data.data(), kChunk + 1));
  CHECK(refuses(&data[2 * kChunk - 1], 1));
  CHECK(!refuses(&data[2 * kChunk], 10));
  CHECK(refuses(&data[kChunk - 1], kChunk + 2));
  CHECK(!refuses(chunks.data(), 8));  // other memory
}

}  // namespace

int main() {
  for (const KernelTable* table : supported_tables()) {
    std::mt19937 random(17);
    check_digests(*table, random);
    check_ranges(*table);
    check_guarded_search(*table, random);
  }
  return finish();
}
