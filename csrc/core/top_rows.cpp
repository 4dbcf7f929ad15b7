// top_rows.cpp -- rows become candidates, a 64-bit key each that orders all but ties; groups that lie apart are gathered first.
#include <cmath>
#include <utility>
#include <vector>

#include "core/grouped.h"
#include "core/lists.h"

namespace fastcal {
namespace {

struct Candidate {
  std::uint64_t key;  // the lower, the better
  std::uint32_t row;
};

// By bits, which a host that flushes denormals does not change: ascending with the value, both zeros alike.
std::uint32_t ascending(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (bits == 0x80000000u) return 0x80000000u;
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

bool is_nan(float value) {
  return (std::bit_cast<std::uint32_t>(value) & 0x7fffffffu) > 0x7f800000u;
}

template <typename Docs>
class Ranker {
 public:
  Ranker(const Ranking& ranking, const Docs& docs)
      : ranking_(ranking), docs_(docs), flip_(ranking.higher_is_better ? ~std::uint32_t{0} : std::uint32_t{0}) {}

  bool has_place(std::size_t row) const {
    return (ranking_.keep == nullptr || ranking_.keep[row] != 0) && !is_nan(ranking_.on[row]) && !is_nan(ranking_.scores[row]);
  }
  Candidate candidate(std::size_t row) const {
    const std::uint64_t on = static_cast<std::uint32_t>(~ascending(ranking_.on[row])), score = ascending(ranking_.scores[row]) ^ flip_;
    return {on << 32 | score, static_cast<std::uint32_t>(row)};
  }
  bool operator()(const Candidate& a, const Candidate& b) const {
    if (a.key != b.key) return a.key < b.key;
    const int order = docs_.compare(a.row, b.row);
    return order != 0 ? order < 0 : a.row < b.row;
  }

 private:
  const Ranking& ranking_;
  const Docs& docs_;
  std::uint32_t flip_;
};

// The best `most` candidates of those offered, by collecting up to twice as many below the bar: amortised O(1) an offer.
template <typename Before>
class Best {
 public:
  Best(const Before& before, std::size_t most, std::size_t offers)
      : before_(before), most_(most), kept_(std::min(offers, 2 * most + kSlack)) {}

  void offer(const Candidate& candidate) {
    if (candidate.key > bar_) return;
    kept_[size_++] = candidate;
    if (size_ == kept_.size()) keep_best();
  }
  std::span<const Candidate> sorted() {
    keep_best();
    std::sort(kept_.begin(), at(size_), before_);
    return {kept_.data(), size_};
  }

 private:
  static constexpr std::size_t kSlack = 32;
  auto at(std::size_t i) { return kept_.begin() + static_cast<std::ptrdiff_t>(i); }
  void keep_best() {
    if (size_ <= most_) return;
    std::nth_element(kept_.begin(), at(most_ - 1), at(size_), before_);
    bar_ = kept_[most_ - 1].key;
    size_ = most_;
  }

  const Before& before_;
  std::size_t most_, size_ = 0;
  std::uint64_t bar_ = std::numeric_limits<std::uint64_t>::max();
  std::vector<Candidate> kept_;
};

struct Groups {
  bool together = true;              // codes never fall: a group is a stretch of rows
  std::vector<std::int64_t> begins;  // of each group among the rows that have a place; one more than groups
  std::vector<std::int64_t> rows;    // where each group begins among all rows, if together
  std::vector<std::int64_t> outs;    // where its best rows go
};

template <typename Docs>
Groups grouped(const Ranking& ranking, const Ranker<Docs>& ranker, std::size_t most, StopToken& stop) {
  Groups found;
  found.begins.assign(ranking.groups + 1, 0);
  std::int32_t before = 0;
  in_stoppable_pieces(ranking.codes.size(), stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::int32_t code = ranking.codes[i];
      found.together &= code >= before;
      before = code;
      found.begins[static_cast<std::size_t>(code) + 1] += ranker.has_place(i);
    }
  });
  found.outs.assign(ranking.groups + 1, 0);
  for (std::size_t g = 0; g < ranking.groups; ++g) {
    found.outs[g + 1] = found.outs[g] + std::min(found.begins[g + 1], static_cast<std::int64_t>(most));
    found.begins[g + 1] += found.begins[g];
  }
  if (!found.together) return found;
  found.rows.resize(ranking.groups + 1);
  std::size_t next = 0;
  for (std::size_t i = 0; i < ranking.codes.size(); ++i)
    while (next <= static_cast<std::size_t>(ranking.codes[i])) found.rows[next++] = static_cast<std::int64_t>(i);
  while (next <= ranking.groups) found.rows[next++] = static_cast<std::int64_t>(ranking.codes.size());
  return found;
}

template <typename Docs>
std::vector<Candidate> gathered(const Ranking& ranking, const Ranker<Docs>& ranker, const Groups& groups, StopToken& stop) {
  std::vector<Candidate> candidates(static_cast<std::size_t>(groups.begins.back()));
  std::vector<std::int64_t> places(groups.begins.begin(), groups.begins.end() - 1);
  in_stoppable_pieces(ranking.codes.size(), stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      if (ranker.has_place(i))
        candidates[static_cast<std::size_t>(places[static_cast<std::size_t>(ranking.codes[i])]++)] = ranker.candidate(i);
  });
  return candidates;
}

template <typename Docs>
std::size_t best_rows(const Ranking& ranking, const Docs& docs, std::size_t most, std::int32_t* out, const CallContext& context) {
  constexpr double kNanosecondsEach = 10.0;
  const Ranker<Docs> ranker(ranking, docs);
  const Groups groups = grouped(ranking, ranker, most, context.stop);
  std::vector<Candidate> apart;
  if (!groups.together) apart = gathered(ranking, ranker, groups, context.stop);
  for_each_list(groups.together ? groups.rows : groups.begins, kNanosecondsEach, context, [&](std::size_t g) {
    const auto offers = static_cast<std::size_t>(groups.begins[g + 1] - groups.begins[g]);
    if (offers == 0) return;
    Best best(ranker, most, offers);
    if (groups.together) {
      for (auto i = static_cast<std::size_t>(groups.rows[g]); i < static_cast<std::size_t>(groups.rows[g + 1]); ++i)
        if (ranker.has_place(i)) best.offer(ranker.candidate(i));
    } else {
      for (auto i = static_cast<std::size_t>(groups.begins[g]); i < static_cast<std::size_t>(groups.begins[g + 1]); ++i)
        best.offer(apart[i]);
    }
    std::int32_t* to = out + groups.outs[g];
    for (const Candidate& each : best.sorted()) *to++ = static_cast<std::int32_t>(each.row);
  });
  return static_cast<std::size_t>(groups.outs.back());
}

}  // namespace

std::size_t top_rows(const Ranking& ranking, std::size_t most, std::int32_t* out, const CallContext& context) {
  return std::visit([&](const auto& docs) { return best_rows(ranking, docs, std::min(most, kMostRows), out, context); }, ranking.docs);
}

}  // namespace fastcal
