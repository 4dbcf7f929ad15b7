// top_rows.cpp -- rows become candidates, a 64-bit key each that orders all but ties; groups that lie apart are gathered first.
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/grouped.h"
#include "core/lists.h"
#include "core/memory.h"
#include "core/radix.h"
#include "core/ranking_key.h"

namespace fastcal {
namespace {

struct Candidate {
  std::uint64_t key;  // the lower, the better
  std::uint32_t row, code;

  std::size_t operator>>(int bits) const { return code >> bits; }  // what radix.h sorts by
};

template <typename Docs>
class Ranker {
 public:
  Ranker(const Ranking& ranking, const Docs& docs) : ranking_(ranking), docs_(docs), key_{ranking.higher_is_better} {}

  bool has_place(std::size_t row) const {
    return (ranking_.keep == nullptr || ranking_.keep[row] != 0) && RankingKey::has_one(ranking_.on[row], ranking_.scores[row]);
  }
  Candidate candidate(std::size_t row) const {
    return {~key_(ranking_.on[row], ranking_.scores[row]), static_cast<std::uint32_t>(row),
            static_cast<std::uint32_t>(ranking_.codes[row])};
  }
  bool operator()(const Candidate& a, const Candidate& b) const {
    if (a.key != b.key) return a.key < b.key;
    const int order = docs_.compare(a.row, b.row);
    return order != 0 ? order < 0 : a.row < b.row;
  }

 private:
  const Ranking& ranking_;
  const Docs& docs_;
  RankingKey key_;
};

// Where each group begins, among the rows or, where its rows lie apart, among candidates that have been gathered.
struct Groups {
  std::vector<std::int64_t> begins;
  const Candidate* candidates = nullptr;
  std::unique_ptr<Pages> memory{};
};

std::optional<Groups> together(const Ranking& ranking) {
  Groups found{std::vector<std::int64_t>(ranking.groups + 1)};
  std::int32_t before = -1;
  for (std::size_t i = 0; i < ranking.codes.size(); ++i) {
    const std::int32_t code = ranking.codes[i];
    if (code == before) continue;
    if (code < before) return std::nullopt;
    while (before < code) found.begins[static_cast<std::size_t>(++before)] = static_cast<std::int64_t>(i);
  }
  for (auto next = static_cast<std::size_t>(before + 1); next <= ranking.groups; ++next)
    found.begins[next] = static_cast<std::int64_t>(ranking.codes.size());
  return found;
}

template <typename Docs>
Groups gathered(const Ranking& ranking, const Ranker<Docs>& ranker, const CallContext& context) {
  Groups found{std::vector<std::int64_t>(ranking.groups + 1), nullptr,
               std::make_unique<Pages>(2 * ranking.codes.size() * sizeof(Candidate))};
  auto* const candidates = reinterpret_cast<Candidate*>(found.memory->data());
  std::size_t n = 0;
  in_stoppable_pieces(ranking.codes.size(), context.stop, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      candidates[n] = ranker.candidate(i);
      n += ranker.has_place(i);
    }
  });
  for (std::size_t i = 0; i < n; ++i) ++found.begins[candidates[i].code + 1];
  for (std::size_t g = 0; g < ranking.groups; ++g) found.begins[g + 1] += found.begins[g];
  found.candidates = radix_sort(candidates, candidates + n, n, 0, static_cast<int>(std::bit_width(ranking.groups)), context);
  return found;
}

// The rows of a group in two forms. `order` rises with `on` and is cheap; NaN may have any.
template <typename Docs>
struct Stretch {
  const Ranking& ranking;
  const Ranker<Docs>& ranker;
  std::size_t begin;

  std::int32_t order(std::size_t i) const { return signed_order(ranking.on[begin + i]); }
  bool has_place(std::size_t i) const { return ranker.has_place(begin + i); }
  Candidate candidate(std::size_t i) const { return ranker.candidate(begin + i); }
};
struct Gathered {
  const Candidate* candidates;

  std::int32_t order(std::size_t i) const {
    return static_cast<std::int32_t>(~static_cast<std::uint32_t>(candidates[i].key >> 32) ^ 0x80000000u);
  }
  bool has_place(std::size_t) const { return true; }
  Candidate candidate(std::size_t i) const { return candidates[i]; }
};

// The best rows of one group after the other.
template <typename Docs>
class Selector {
 public:
  Selector(const Ranker<Docs>& ranker, std::size_t most) : ranker_(ranker), most_(most) {}

  // Returns how many it wrote.
  template <typename Rows>
  std::size_t operator()(const Rows& rows, std::size_t n, std::int32_t* out) {
    const std::int32_t bar = n > 2 * most_ ? sampled_bar(rows, n) : kLowest;
    offer(rows, n, bar);
    if (kept_.size() < most_ && bar != kLowest) offer(rows, n, kLowest);
    if (kept_.size() > most_) {
      std::nth_element(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(most_ - 1), kept_.end(), ranker_);
      kept_.resize(most_);
    }
    std::sort(kept_.begin(), kept_.end(), ranker_);
    for (const Candidate& each : kept_) *out++ = static_cast<std::int32_t>(each.row);
    return kept_.size();
  }

 private:
  static constexpr std::int32_t kLowest = std::numeric_limits<std::int32_t>::min();
  static constexpr std::size_t kSample = 64;

  // A bar that at least `most` of n rows reach, by what a sample says and a margin for its error.
  template <typename Rows>
  std::int32_t sampled_bar(const Rows& rows, std::size_t n) const {
    std::array<std::int32_t, kSample> sample;
    for (std::size_t i = 0; i < kSample; ++i) sample[i] = rows.order(i * n / kSample);
    const double share = static_cast<double>(kSample * most_) / static_cast<double>(n);
    const auto rank = static_cast<std::size_t>(share + 2.0 * std::sqrt(share) + 1.0);
    if (rank >= kSample) return kLowest;
    const auto at = sample.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(sample.begin(), at, sample.end(), std::greater<>());
    return *at == 0 ? -1 : *at;
  }

  // Keeps the rows that have a place and reach the bar.
  template <typename Rows>
  void offer(const Rows& rows, std::size_t n, std::int32_t bar) {
    reached_.resize(std::max(reached_.size(), n));
    std::size_t reached = 0;
    for (std::size_t i = 0; i < n; ++i) {
      reached_[reached] = static_cast<std::uint32_t>(i);
      reached += rows.order(i) >= bar;
    }
    kept_.clear();
    for (std::size_t i = 0; i < reached; ++i)
      if (rows.has_place(reached_[i])) kept_.push_back(rows.candidate(reached_[i]));
  }

  const Ranker<Docs>& ranker_;
  std::size_t most_;
  std::vector<std::uint32_t> reached_;
  std::vector<Candidate> kept_;
};

// visit(first, last) of groups, in tasks of about kPiece rows.
template <typename Visit>
void for_each_stretch(const std::vector<std::int64_t>& begins, const CallContext& context, const Visit& visit) {
  constexpr double kNanosecondsEach = 10.0;
  const auto total = static_cast<std::size_t>(begins.back());
  const auto from = [&](std::size_t row) {
    return static_cast<std::size_t>(std::lower_bound(begins.begin(), begins.end() - 1, static_cast<std::int64_t>(row)) - begins.begin());
  };
  const CallContext sized{worthwhile_threads(kNanosecondsEach * static_cast<double>(total), context.num_threads), context.stop};
  parallel_for(total / kPiece + 1, sized, [&](std::size_t task, std::size_t) { visit(from(task * kPiece), from((task + 1) * kPiece)); });
}

template <typename Docs>
std::size_t best_rows(const Ranking& ranking, const Docs& docs, std::size_t most, std::int32_t* out, const CallContext& context) {
  const Ranker<Docs> ranker(ranking, docs);
  std::optional<Groups> found_together = together(ranking);
  const Groups groups = found_together ? std::move(*found_together) : gathered(ranking, ranker, context);
  std::vector<std::int64_t> room(ranking.groups + 1), found(ranking.groups);
  for (std::size_t g = 0; g < ranking.groups; ++g)
    room[g + 1] = room[g] + std::min(groups.begins[g + 1] - groups.begins[g], static_cast<std::int64_t>(most));
  for_each_stretch(groups.begins, context, [&](std::size_t first, std::size_t last) {
    Selector<Docs> select(ranker, most);
    for (std::size_t g = first; g < last; ++g) {
      const auto begin = static_cast<std::size_t>(groups.begins[g]), size = static_cast<std::size_t>(groups.begins[g + 1]) - begin;
      std::int32_t* const to = out + room[g];
      found[g] = static_cast<std::int64_t>(groups.candidates == nullptr ? select(Stretch<Docs>{ranking, ranker, begin}, size, to)
                                                                        : select(Gathered{groups.candidates + begin}, size, to));
    }
  });
  std::int64_t end = 0;
  for (std::size_t g = 0; g < ranking.groups; ++g) {
    if (end != room[g]) std::copy_n(out + room[g], found[g], out + end);
    end += found[g];
  }
  return static_cast<std::size_t>(end);
}

}  // namespace

std::size_t top_rows(const Ranking& ranking, std::size_t most, std::int32_t* out, const CallContext& context) {
  return std::visit([&](const auto& docs) { return best_rows(ranking, docs, std::min(most, kMostRows), out, context); }, ranking.docs);
}

}  // namespace fastcal
