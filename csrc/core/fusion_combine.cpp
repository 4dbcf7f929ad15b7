#include "core/fusion_combine.h"

#include <algorithm>
#include <limits>

#include "core/elementary.h"

namespace fastcal {

// visit(document, run, weight, value, entry), run by run; entry is -1 where the run does not list the document.
template <typename Visit>
void Combiner::for_each_value(const GatheredLists& lists, std::size_t query, const Visit& visit) {
  const std::size_t n_documents = lists.documents().size();
  for (std::size_t r = 0; r < plan_.runs.size(); ++r) {
    bool good = true;
    const double* values = values_.of(lists, r, query, good);
    if (!good && (first_bad_ < 0 || static_cast<std::int64_t>(r) < first_bad_)) first_bad_ = static_cast<std::int64_t>(r);
    const double weight = plan_.share(r, query);
    const std::span<const std::uint32_t> list = lists.list(r);
    for (std::size_t i = 0; i < list.size(); ++i)
      if ((list[i] & GatheredLists::kDuplicate) == 0) visit(list[i], r, weight, values[i], static_cast<std::int64_t>(i));
    const std::optional<double> fill = values_.of_missing(lists, r);
    if (!fill) continue;
    seen_.assign(n_documents, 0);
    for (const std::uint32_t document : list) seen_[document & ~GatheredLists::kDuplicate] = 1;
    for (std::uint32_t document = 0; document < n_documents; ++document)
      if (seen_[document] == 0) visit(document, r, weight, *fill, std::int64_t{-1});
  }
}

const std::vector<double>& Combiner::scores(const GatheredLists& lists, std::size_t query, std::int64_t& first_bad) {
  switch (plan_.combine) {
    case FuseCombine::min:
    case FuseCombine::max:
      extremes(lists, query);
      break;
    case FuseCombine::median:
      medians(lists, query);
      break;
    case FuseCombine::copeland:
      pairwise_wins(lists, query);
      break;
    default:
      add_up(lists, query);
  }
  if (first_bad_ >= 0 && (first_bad < 0 || first_bad_ < first_bad)) first_bad = first_bad_;
  return scores_;
}

bool Combiner::adds_up() const {
  return plan_.combine != FuseCombine::min && plan_.combine != FuseCombine::max && plan_.combine != FuseCombine::median;
}

void Combiner::add_up(const GatheredLists& lists, std::size_t query) {
  const std::span<const FusedDocument> documents = lists.documents();
  scores_.assign(documents.size(), 0.0);
  if (plan_.combine == FuseCombine::sum) {
    for_each_value(lists, query, [&](std::uint32_t d, std::size_t, double w, double v, std::int64_t) { scores_[d] += w * v; });
    for (std::size_t d = 0; d < documents.size(); ++d) scores_[d] *= plan_.factors[documents[d].hits];
    return;
  }
  weights_.assign(documents.size(), 0.0);
  for_each_value(lists, query, [&](std::uint32_t d, std::size_t, double w, double v, std::int64_t entry) {
    if (plan_.combine == FuseCombine::by_weights) {
      scores_[d] += v;
      weights_[d] += entry < 0 ? 0.0 : w;
    } else if (const std::optional<double> term = summand(plan_, v)) {
      scores_[d] += w * *term;
      weights_[d] += w;
    }
  });
  for (std::size_t d = 0; d < documents.size(); ++d) scores_[d] = finish(documents[d], scores_[d], weights_[d]);
}

double Combiner::finish(const FusedDocument& document, double sum, double weight) const {
  switch (plan_.combine) {
    case FuseCombine::by_weights:
      return sum * weight;
    case FuseCombine::mean:
      return weight == 0.0 ? 0.0 : sum / weight;
    case FuseCombine::harmonic:
      return weight == 0.0 ? 0.0 : weight / sum;
    case FuseCombine::geometric: {
      const double mean = weight == 0.0 ? 0.0 : sum / weight;
      const double e = exp_minus(mean < 0.0 ? -mean : mean);
      return weight == 0.0 ? 0.0 : (mean < 0.0 ? e : 1.0 / e);
    }
    case FuseCombine::logistic: {
      const double t = plan_.base + sum;
      const double e = exp_minus(t < 0.0 ? -t : t);
      return (t < 0.0 ? e : 1.0) / (1.0 + e);
    }
    default:
      return sum * plan_.factors[document.hits];
  }
}

void Combiner::extremes(const GatheredLists& lists, std::size_t query) {
  const bool lowest = plan_.combine == FuseCombine::min;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  scores_.assign(lists.documents().size(), lowest ? kInfinity : -kInfinity);
  for_each_value(lists, query, [&](std::uint32_t d, std::size_t, double, double v, std::int64_t) {
    scores_[d] = lowest ? std::min(scores_[d], v) : std::max(scores_[d], v);
  });
}

void Combiner::medians(const GatheredLists& lists, std::size_t query) {
  const std::size_t n_runs = plan_.runs.size(), n_documents = lists.documents().size();
  listed_.resize(n_documents * n_runs);
  std::vector<std::uint32_t> counts(n_documents, 0);
  for_each_value(lists, query,
                 [&](std::uint32_t d, std::size_t, double, double v, std::int64_t) { listed_[d * n_runs + counts[d]++] = v; });
  scores_.resize(n_documents);
  for (std::size_t d = 0; d < n_documents; ++d) {
    double* values = listed_.data() + d * n_runs;
    std::sort(values, values + counts[d]);
    scores_[d] = (values[(counts[d] - 1) / 2] + values[counts[d] / 2]) / 2.0;
  }
}

// One point for each document beaten by weighted majority, half a point for each draw. A run that lists one of two documents
// prefers it; one that lists neither has no say.
void Combiner::pairwise_wins(const GatheredLists& lists, std::size_t query) {
  constexpr std::uint32_t kUnlisted = 0xffffffffu;
  const std::size_t n_runs = plan_.runs.size(), n = lists.documents().size();
  ranks_.assign(n_runs * n, kUnlisted);
  for (std::size_t r = 0; r < n_runs; ++r) {
    const std::span<const std::uint32_t> list = lists.list(r);
    for (std::size_t i = 0; i < list.size(); ++i)
      if ((list[i] & GatheredLists::kDuplicate) == 0) ranks_[r * n + list[i]] = static_cast<std::uint32_t>(i);
  }
  scores_.resize(n);
  listed_.resize(n);
  for (std::size_t a = 0; a < n; ++a) {
    if (a % 256 == 255) stop_.throw_if_stopped();
    std::fill(listed_.begin(), listed_.end(), 0.0);
    for (std::size_t r = 0; r < n_runs; ++r) {
      const std::uint32_t* ranks = ranks_.data() + r * n;
      const std::uint32_t own = ranks[a];
      const double weight = plan_.share(r, query);
      for (std::size_t b = 0; b < n; ++b) listed_[b] += weight * static_cast<double>(int{own < ranks[b]} - int{own > ranks[b]});
    }
    std::int64_t twice = -1;  // the draw with itself
    for (std::size_t b = 0; b < n; ++b) twice += 2 * int{listed_[b] > 0.0} + int{listed_[b] == 0.0};
    scores_[a] = static_cast<double>(twice) / 2.0;
  }
}

double Combiner::term_scale(const FusedDocument& document, double weight) const {
  switch (plan_.combine) {
    case FuseCombine::sum:
      return plan_.factors[document.hits];
    case FuseCombine::by_weights:
      return weight;
    case FuseCombine::mean:
    case FuseCombine::geometric:
    case FuseCombine::harmonic:
      return weight == 0.0 ? 0.0 : 1.0 / weight;
    default:
      return 1.0;
  }
}

void Combiner::components(const GatheredLists& lists, std::size_t query, const std::vector<std::uint32_t>& row_of, std::int64_t* entries,
                          double* terms) {
  const std::span<const FusedDocument> documents = lists.documents();
  const std::size_t n_runs = plan_.runs.size();
  const bool adds = adds_up(), wins = plan_.combine == FuseCombine::copeland;
  const auto kept =
      static_cast<std::size_t>(std::count_if(row_of.begin(), row_of.end(), [](std::uint32_t row) { return row != kNotKept; }));
  std::fill_n(entries, kept * n_runs, std::int64_t{-1});
  std::fill_n(terms, kept * n_runs, adds && !wins ? 0.0 : std::numeric_limits<double>::quiet_NaN());
  weights_.resize(documents.size());
  for_each_value(lists, query, [&](std::uint32_t d, std::size_t r, double w, double v, std::int64_t entry) {
    if (row_of[d] == kNotKept) return;
    const std::size_t at = row_of[d] * n_runs + r;
    if (entry >= 0) entries[at] = plan_.runs[r].offsets[query] + entry;
    if (wins) return;
    const double share = !adds ? v : (plan_.combine == FuseCombine::by_weights ? v : w * summand(plan_, v).value_or(0.0));
    terms[at] = share * term_scale(documents[d], weights_[d]);
  });
}

}  // namespace fastcal
