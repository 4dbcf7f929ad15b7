// fusion_values.h -- what each entry of a list is worth, before weights.
#pragma once

#include <optional>
#include <vector>

#include "core/fusion_gather.h"

namespace fastcal {

class ListValues {
 public:
  // Functions of the rank alone are worked out once, for the longest list.
  explicit ListValues(const FusionPlan& plan);

  // The values of one list, which stay valid until the next call. `scores_are_good` is cleared by a score that is not finite,
  // or is no probability under `logistic`.
  const double* of(const GatheredLists& lists, std::size_t run, std::size_t query, bool& scores_are_good);

  // What the run says of a document that it does not list; none if it takes no part. After `of`.
  std::optional<double> of_missing(const GatheredLists& lists, std::size_t run) const;

 private:
  void write_ranks(double weight, std::size_t n, double* out) const;
  bool write_scores(const RunView& run, std::size_t query, std::size_t n);
  void merge_duplicates(std::span<const std::uint32_t> list);

  const FusionPlan& plan_;
  bool shared_;  // whether all lists have the values of table_
  std::vector<double> table_, values_, by_document_;
  std::vector<float> normalised_;
  const double* current_ = nullptr;
};

// The value in the form that is added up: its logarithm, inverse or log-odds; none if it cannot be.
std::optional<double> summand(const FusionPlan& plan, double value);

}  // namespace fastcal
