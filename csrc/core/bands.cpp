// bands.cpp -- histograms and samples: groups of queries, one pass each, outputs written once all have succeeded.
#include "core/bands.h"

#include <bit>

#include "core/banding.h"
#include "core/float_env.h"

namespace fastcal {
namespace {

constexpr float kPaddingScore = std::bit_cast<float>(0x7fc00000u);

// take(tallies, queries, first) for every group of queries, until it returns false; returns the first bad row, or -1.
template <typename Take>
std::int64_t for_groups(Banding& banding, QueryView queries, std::size_t dim, const Take& take) {
  const std::size_t group = banding.group_size();
  for (std::size_t first = 0; first < queries.n; first += group) {
    const QueryView part{queries.data + first * dim, std::min(group, queries.n - first)};
    auto tallies = banding.run(part, first);
    if (!tallies || !take(*tallies, part, first)) return banding.bad();
  }
  return -1;
}

// The samples of every query so far, laid out as the outputs are.
struct Samples {
  Samples(std::size_t lists, std::size_t list_size)
      : size(list_size),
        rows(lists * size, -1),
        scores(lists * size, kPaddingScore),
        priorities(lists * size, std::numeric_limits<std::uint64_t>::max()) {}

  std::size_t size;
  std::vector<std::int64_t> rows;
  std::vector<float> scores;
  std::vector<std::uint64_t> priorities;
};

// Scores the sampled rows of one query block by block and files them in list number `first_list` and the following.
class Filing {
 public:
  Filing(Banding& banding, BlockReader& reader, const QueryBlock& query, std::int64_t first_row, Samples& samples)
      : banding_(banding), reader_(reader), query_(query), first_row_(first_row), samples_(samples) {}

  bool put(std::size_t slot, const Sampled& sampled, std::size_t reached) {
    samples_.rows[slot] = sampled.row;
    samples_.priorities[slot] = sampled.priority;
    slots_[n_] = slot;
    rows_[n_] = sampled.row - first_row_;
    reached_[n_] = reached;
    return ++n_ < kMaxRowBlock || flush();
  }

  bool flush() {
    float scores[kMaxRowBlock];
    const bool good = n_ == 0 || banding_.score(reader_, query_, {rows_, n_}, reached_, scores);
    for (std::size_t i = 0; good && i < n_; ++i) samples_.scores[slots_[i]] = scores[i];
    n_ = 0;
    return good;
  }

 private:
  Banding& banding_;
  BlockReader& reader_;
  const QueryBlock& query_;
  std::int64_t first_row_;
  Samples& samples_;
  std::size_t n_ = 0;
  std::size_t slots_[kMaxRowBlock], reached_[kMaxRowBlock];
  std::int64_t rows_[kMaxRowBlock];
};

void file_query(BandTally& tally, const BandEdges& edges, Filing filing, std::size_t first_slot, std::size_t size, StopToken& stop) {
  for (std::size_t bin = 0; bin < edges.bins() && !stop.check(); ++bin) {
    const std::vector<Sampled>& sampled = tally.reservoir(bin).sorted();
    for (std::size_t i = 0; i < sampled.size(); ++i)
      if (!filing.put(first_slot + bin * size + i, sampled[i], edges.reached_in(bin))) return;
  }
  filing.flush();
}

void copy_counts(const std::vector<BandTally>& tallies, std::size_t bins, std::int64_t* out) {
  for (const BandTally& tally : tallies)
    for (std::size_t bin = 0; bin < bins; ++bin) *out++ = tally.count(bin);
}

}  // namespace

std::int64_t histogram(const KernelTable& kernels, QueryView queries, const Corpus& corpus, const double* norms, Metric metric,
                       BandsView bands, const Sketch* sketch, std::int64_t* out, const CallContext& context) {
  const FloatEnvironment environment;
  const BandEdges edges(metric, bands.edges, bands.n);
  Banding banding(kernels, corpus, norms, metric, edges, sketch, {}, context);
  std::vector<std::int64_t> counts(queries.n * edges.bins());
  const std::int64_t bad = for_groups(banding, queries, corpus.dim, [&](std::vector<BandTally>& tallies, QueryView, std::size_t first) {
    copy_counts(tallies, edges.bins(), counts.data() + first * edges.bins());
    return true;
  });
  if (bad < 0) std::copy(counts.begin(), counts.end(), out);
  return bad;
}

std::int64_t sample_bands(const KernelTable& kernels, QueryView queries, const Corpus& corpus, const double* norms, Metric metric,
                          BandsView bands, std::uint64_t seed, std::int64_t first_row, const Sketch* sketch, const BandSampleOutput& out,
                          const CallContext& context) {
  const FloatEnvironment environment;
  const BandEdges edges(metric, bands.edges, bands.n);
  const Sampling sampling{std::min(out.size, corpus.n_rows), seed, first_row};
  Banding banding(kernels, corpus, norms, metric, edges, sketch, sampling, context);
  const std::size_t lists = queries.n * edges.bins();
  std::vector<std::int64_t> counts(lists);
  Samples samples(lists, out.size);
  const std::int64_t bad =
      for_groups(banding, queries, corpus.dim, [&](std::vector<BandTally>& tallies, QueryView part, std::size_t first) {
        copy_counts(tallies, edges.bins(), counts.data() + first * edges.bins());
        if (sampling.size == 0) return true;
        const Queries prepared(kernels, part.data, part.n, corpus.dim);
        parallel_for(part.n, context, [&](std::size_t q, std::size_t) {
          BlockReader reader(kernels, corpus, norms, metric == Metric::cosine);
          const QueryBlock one = prepared.block(q, 1);
          file_query(tallies[q], edges, Filing(banding, reader, one, first_row, samples), (first + q) * edges.bins() * out.size, out.size,
                     context.stop);
        });
        return banding.bad() < 0;
      });
  if (bad >= 0) return bad;
  std::copy(counts.begin(), counts.end(), out.counts);
  std::copy(samples.rows.begin(), samples.rows.end(), out.rows);
  std::copy(samples.scores.begin(), samples.scores.end(), out.scores);
  std::copy(samples.priorities.begin(), samples.priorities.end(), out.priorities);
  return -1;
}

}  // namespace fastcal
