// fusion_combine.h -- the values of a document become its score.
#pragma once

#include <vector>

#include "core/fusion_values.h"

namespace fastcal {

// One query at a time; the memory of the query before is used again.
class Combiner {
 public:
  Combiner(const FusionPlan& plan, StopToken& stop) : plan_(plan), stop_(stop), values_(plan) {}

  // Scores of all documents; `first_bad` becomes the first run with a bad score if that is less.
  const std::vector<double>& scores(const GatheredLists& lists, std::size_t query, std::int64_t& first_bad);

  // Writes entries and terms of the documents whose row is not kNotKept to rows of n_runs. After `scores`.
  static constexpr std::uint32_t kNotKept = 0xffffffffu;
  void components(const GatheredLists& lists, std::size_t query, const std::vector<std::uint32_t>& row_of, std::int64_t* entries,
                  double* terms);

 private:
  template <typename Visit>
  void for_each_value(const GatheredLists& lists, std::size_t query, const Visit& visit);
  void add_up(const GatheredLists& lists, std::size_t query);
  void extremes(const GatheredLists& lists, std::size_t query);
  void medians(const GatheredLists& lists, std::size_t query);
  void pairwise_wins(const GatheredLists& lists, std::size_t query);
  double finish(const FusedDocument& document, double sum, double weight) const;
  double term_scale(const FusedDocument& document, double weight) const;
  bool adds_up() const;

  const FusionPlan& plan_;
  StopToken& stop_;
  ListValues values_;
  std::int64_t first_bad_ = -1;
  std::vector<double> scores_, weights_, listed_;
  std::vector<std::uint32_t> seen_, ranks_;
};

}  // namespace fastcal
