#include "core/fusion_values.h"

#include <algorithm>

#include "core/elementary.h"

namespace fastcal {

ListValues::ListValues(const FusionPlan& plan)
    : plan_(plan), shared_(plan.value != FuseValue::score && plan.value != FuseValue::points && !plan.stretch) {
  if (!shared_) return;
  std::size_t longest = 0;
  for (std::size_t r = 0; r < plan.runs.size(); ++r)
    for (std::size_t query = 0; query < plan.n_queries(); ++query) longest = std::max(longest, plan.length(r, query));
  table_.resize(longest);
  write_ranks(1.0, longest, table_.data());
}

const double* ListValues::of(const GatheredLists& lists, std::size_t run, std::size_t query, bool& scores_are_good) {
  const std::span<const std::uint32_t> list = lists.list(run);
  const std::size_t n = list.size();
  const bool merge = lists.duplicates(run) > 0 && (plan_.duplicates == FuseDuplicates::max || plan_.duplicates == FuseDuplicates::sum);
  if (shared_ && !merge) return current_ = table_.data();
  values_.resize(n);
  if (shared_) {
    std::copy_n(table_.data(), n, values_.data());
  } else if (plan_.value == FuseValue::score) {
    scores_are_good &= write_scores(plan_.runs[run], query, n);
  } else if (plan_.value == FuseValue::points) {
    for (std::size_t i = 0; i < n; ++i) values_[i] = static_cast<double>(lists.documents().size()) - static_cast<double>(i);
  } else {
    write_ranks(plan_.weight(run, query), n, values_.data());
  }
  if (merge) merge_duplicates(list);
  return current_ = values_.data();
}

// `weight` divides the rank; a run of weight 0 ranks everything infinitely low.
void ListValues::write_ranks(double weight, std::size_t n, double* out) const {
  double power = 1.0 - plan_.parameter;
  for (std::size_t i = 0; i < n; ++i) {
    const double rank = static_cast<double>(i + 1) / weight;
    if (plan_.value == FuseValue::reciprocal) {
      out[i] = 1.0 / (plan_.parameter + rank);
    } else if (plan_.value == FuseValue::square) {
      out[i] = 1.0 / (rank * rank);
    } else {
      out[i] = power;
      power *= plan_.parameter;
    }
  }
}

bool ListValues::write_scores(const RunView& run, std::size_t query, std::size_t n) {
  const float* scores = run.scores + run.offsets[query];
  if (run.norm) {
    normalised_.resize(n);
    if (!affine_list(*plan_.kernels, *run.norm, nullptr, scores, n, normalised_.data())) return false;
    scores = normalised_.data();
  }
  bool good = true;
  const float low = plan_.combine == FuseCombine::logistic ? 0.0f : -3.4028235e38f;
  const float high = plan_.combine == FuseCombine::logistic ? 1.0f : 3.4028235e38f;
  for (std::size_t i = 0; i < n; ++i) {
    good &= (scores[i] >= low) & (scores[i] <= high);
    values_[i] = static_cast<double>(scores[i]);
  }
  return good;
}

// The first entry of a document receives the largest or the sum of its values.
void ListValues::merge_duplicates(std::span<const std::uint32_t> list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::size_t document = list[i] & ~GatheredLists::kDuplicate;
    if (by_document_.size() <= document) by_document_.resize(document + 1);
    double& merged = by_document_[document];
    if ((list[i] & GatheredLists::kDuplicate) == 0) {
      merged = values_[i];
    } else {
      merged = plan_.duplicates == FuseDuplicates::sum ? merged + values_[i] : std::max(merged, values_[i]);
    }
  }
  for (std::size_t i = 0; i < list.size(); ++i)
    if ((list[i] & GatheredLists::kDuplicate) == 0) values_[i] = by_document_[list[i]];
}

std::optional<double> ListValues::of_missing(const GatheredLists& lists, std::size_t run) const {
  const std::span<const std::uint32_t> list = lists.list(run);
  if (plan_.value == FuseValue::points) {  // the mean of the points left
    const std::size_t listed = list.size() - lists.duplicates(run);
    return static_cast<double>(lists.documents().size() - listed + 1) / 2.0;
  }
  if (plan_.missing == FuseMissing::skip) return std::nullopt;
  if (plan_.missing == FuseMissing::fill) return plan_.fill;
  std::optional<double> least;
  for (std::size_t i = 0; i < list.size(); ++i)
    if ((list[i] & GatheredLists::kDuplicate) == 0) least = std::min(least.value_or(current_[i]), current_[i]);
  return least;
}

std::optional<double> summand(const FusionPlan& plan, double value) {
  switch (plan.combine) {
    case FuseCombine::geometric:
      return value > 0.0 ? std::optional(natural_log(value)) : std::nullopt;
    case FuseCombine::harmonic:
      return value > 0.0 ? std::optional(1.0 / value) : std::nullopt;
    case FuseCombine::logistic: {
      const double p = std::min(std::max(value, plan.parameter), 1.0 - plan.parameter);
      return (natural_log(p) - natural_log(1.0 - p)) - plan.base;
    }
    default:
      return value;
  }
}

}  // namespace fastcal
