#include "rlhf/trainer/micro_batches.hpp"

#include <utility>

#include "rlhf/data/batches.hpp"
#include "rlhf/trainer/guard.hpp"

namespace rlhf::trainer {
namespace {

/// The batch itself where it fits, else its selected parts.
template <class Batch, class Select>
std::vector<Batch> split(const Batch& batch, const Tensor& lengths, int64_t tokens,
                         Select&& select_rows) {
  const auto parts = data::token_budget_batches(lengths, tokens);
  if (parts.size() == 1) return {batch};
  std::vector<Batch> result;
  result.reserve(parts.size());
  for (const Tensor& rows : parts) result.push_back(select_rows(batch, rows));
  return result;
}

}  // namespace

double counted_tokens(const Completions& batch) {
  require_responses(batch);
  return mask_of(batch).sum().item<double>();
}

Completions numbered(Completions completions) {
  if (!completions.ids) completions.ids = torch::arange(completions.size());
  return completions;
}

std::vector<Completions> micro_batches(const Completions& batch, int64_t tokens) {
  return split(batch, batch.lengths(), tokens, [](const Completions& all, const Tensor& rows) {
    return rlhf::select(numbered(all), rows);
  });
}

std::vector<Rankings> micro_batches(const Rankings& rankings, int64_t tokens) {
  return split(rankings, data::token_counts(rankings), tokens,
               [](Rankings all, const Tensor& groups) {
                 all.completions = numbered(std::move(all.completions));
                 return rlhf::select(all, groups);
               });
}

Experience select(const Experience& experience, const Tensor& rows) {
  const Scored& from = experience.scored;
  Experience chosen;
  chosen.scored.rollout.completions = rlhf::select(numbered(from.rollout.completions), rows);
  const int64_t width = chosen.scored.rollout.completions.longest_response();
  const Tensor index = rows.to(from.mask.device());
  const auto cut = [&](const Tensor& matrix) {
    return matrix.defined() ? matrix.narrow(1, 0, width).index_select(0, index) : Tensor();
  };
  chosen.scored.rollout.log_probs = cut(from.rollout.log_probs);
  for (int64_t row : int64_vector(rows)) {
    chosen.scored.rollout.finish.push_back(from.rollout.finish[static_cast<size_t>(row)]);
  }
  chosen.scored.mask = cut(from.mask);
  chosen.scored.scores = from.scores.index_select(0, index);
  chosen.scored.log_probs = cut(from.log_probs);
  chosen.scored.ref_log_probs = cut(from.ref_log_probs);
  chosen.scored.values = cut(from.values);
  chosen.scored.entropy = cut(from.entropy);
  chosen.kl = cut(experience.kl);
  chosen.rewards = cut(experience.rewards);
  chosen.advantages = cut(experience.advantages);
  chosen.returns = cut(experience.returns);
  return chosen;
}

std::vector<Experience> micro_batches(const Experience& experience, int64_t tokens) {
  return split(experience, experience.scored.rollout.completions.lengths(), tokens,
               [](const Experience& all, const Tensor& rows) { return select(all, rows); });
}

}  // namespace rlhf::trainer
