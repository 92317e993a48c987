#include "rlhf/evaluation/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "rlhf/core/error.hpp"
#include "rlhf/data/batches.hpp"
#include "rlhf/evaluation/consistency.hpp"

namespace rlhf::evaluation {

void ProbeOptions::validate() const {
  require(samples >= 0, "ProbeOptions::samples", ">= 0", samples);
  require(temperature > 0 && std::isfinite(temperature), "ProbeOptions::temperature",
          "> 0, so that samples may differ", temperature);
  require(top_k >= 0, "ProbeOptions::top_k", ">= 0", top_k);
  require(top_p > 0 && top_p <= 1, "ProbeOptions::top_p", "in (0, 1]", top_p);
  require(answer_tokens >= 1, "ProbeOptions::answer_tokens", ">= 1", answer_tokens);
  require(max_response_tokens >= 1, "ProbeOptions::max_response_tokens", ">= 1",
          max_response_tokens);
  for (int64_t token : end_tokens.value_or(std::vector<int64_t>{})) {
    require(token >= 0, "ProbeOptions::end_tokens", ">= 0", token);
  }
  for (int64_t token : barred) require(token >= 0, "ProbeOptions::barred", ">= 0", token);
  require(token_budget >= 0, "ProbeOptions::token_budget", ">= 0", token_budget);
}

namespace {

template <class Predicate>
Tensor where(const std::vector<Grade>& grades, Predicate predicate) {
  Tensor flags = torch::empty({std::ssize(grades)}, torch::kBool);
  std::ranges::transform(grades, flags.data_ptr<bool>(), predicate);
  return flags;
}

}  // namespace

Tensor Probed::right() const {
  return where(grades, [](Grade grade) { return grade == Grade::right; });
}

Tensor Probed::answered() const {
  return where(grades, [](Grade grade) { return grade != Grade::abstains; });
}

namespace detail {
namespace {

/// The prompts, each with an id that says which random numbers are its own.
Completions with_distinct_ids(const Completions& prompts) {
  prompts.validate();
  require(prompts.size() >= 1, "prompts to probe with", ">= 1", prompts.size());
  require(prompts.longest_response() == 0, "prompts to probe with",
          "completions with empty responses", "responses");
  Completions asked = prompts;
  if (!asked.ids) asked.ids = torch::arange(asked.size());
  std::unordered_set<int64_t> seen;
  for (int64_t id : int64_vector(*asked.ids)) {
    require(seen.insert(id).second, "ids of the prompts to probe with", "each once",
            fmt::format("{} more than once", id));
  }
  return asked;
}

/// Batches whose prompts, with room for all their responses, keep to the budget.
std::vector<Tensor> batches_of(const Completions& prompts, const ProbeOptions& options) {
  const int64_t copies = std::max<int64_t>(1, options.samples);
  return data::token_budget_batches((prompts.prompt_lengths + options.max_response_tokens) * copies,
                                    options.token_budget, data::RowOrder::longest_first);
}

class Probing {
 public:
  Probing(const Completions& prompts, const Asked& model, const GradeOfAnswer& grade,
          const ProbeOptions& options, const MeaningOfAnswer& meaning)
      : prompts_(prompts), model_(model), grade_(grade), options_(options), meaning_(meaning) {
    const auto n = static_cast<size_t>(prompts.size());
    tokens_.resize(n);
    probed_.texts.resize(n);
    probed_.grades.resize(n);
    probed_.confidence = torch::zeros({prompts.size()}, torch::kFloat64);
    if (options.samples == 0) return;
    probed_.samples.resize(n);
    for (Tensor* measure :
         {&probed_.agreement, &probed_.semantic_agreement, &probed_.semantic_entropy}) {
      *measure = torch::zeros({prompts.size()}, torch::kFloat64);
    }
  }

  /// @param generator  a copy: every batch draws at the same step
  void greedy(const Tensor& rows, Generator generator) {
    const Rollout rollout = model_.sample(select(prompts_, rows), sampling(0.0, 1), generator);
    const int64_t counted = std::min(options_.answer_tokens, rollout.log_probs.size(1));
    // Rounding may leave the logarithm of a probability near 1 above 0.
    const Tensor confidence = rollout.log_probs.narrow(1, 0, counted)
                                  .to(torch::kCPU, torch::kFloat64)
                                  .sum(1)
                                  .exp()
                                  .clamp_max(1.0);
    const std::vector<int64_t> row_of = int64_vector(rows);
    const auto responses = responses_of(rollout.completions);
    for (size_t i = 0; i < responses.size(); ++i) {
      const auto row = static_cast<size_t>(row_of[i]);
      tokens_[row] = responses[i];
      probed_.texts[row] = text_of(responses[i]);
      probed_.grades[row] = grade_(row_of[i], probed_.texts[row]);
      if (probed_.grades[row] == Grade::abstains) continue;
      probed_.confidence[row_of[i]] = confidence[static_cast<int64_t>(i)];
    }
  }

  /// After greedy().
  void sample(const Tensor& rows, Generator generator) {
    const Rollout rollout = model_.sample(
        select(prompts_, rows), sampling(options_.temperature, options_.samples), generator);
    const auto responses = responses_of(rollout.completions);
    const auto count = static_cast<size_t>(options_.samples);
    const std::vector<int64_t> row_of = int64_vector(rows);
    for (size_t i = 0; i < row_of.size(); ++i) {
      compare(row_of[i], std::span(responses).subspan(i * count, count));
    }
  }

  Probed finish() && {
    probed_.answers = with_responses(prompts_, tokens_);
    return std::move(probed_);
  }

 private:
  SamplingOptions sampling(double temperature, int64_t count) const {
    return {.temperature = temperature,
            .top_k = options_.top_k,
            .top_p = options_.top_p,
            .max_response_tokens = options_.max_response_tokens,
            .end_tokens = options_.end_tokens.value_or(std::vector<int64_t>{}),
            .samples_per_prompt = count};
  }

  /// Without the end token, which need not be a special one that decoding drops.
  std::string text_of(std::span<const int64_t> response) const {
    const auto& ends = *options_.end_tokens;
    const bool ended = !response.empty() && std::ranges::count(ends, response.back()) > 0;
    return model_.decode(response.first(response.size() - (ended ? 1 : 0)));
  }

  void compare(int64_t row, std::span<const std::vector<int64_t>> responses) {
    const auto at = static_cast<size_t>(row);
    std::vector<std::optional<std::string>> texts, meanings;
    const auto add = [&](const std::string& text, Grade grade) {
      const bool answers = grade != Grade::abstains;
      texts.push_back(answers ? std::optional(text) : std::nullopt);
      meanings.push_back(answers ? std::optional(meaning_(text)) : std::nullopt);
    };
    for (const auto& response : responses) {
      const std::string& text = probed_.samples[at].emplace_back(text_of(response));
      const Grade grade = grade_(row, text);
      probed_.sampled.add(grade);
      add(text, grade);
    }
    add(probed_.texts[at], probed_.grades[at]);  // the greedy one stands last
    const auto samples = [](const auto& all) { return std::span(all).first(all.size() - 1); };
    const Consistency by_meaning = consistency(samples(meanings), meanings.back());
    probed_.agreement[row] = consistency(samples(texts), texts.back()).agreement;
    probed_.semantic_agreement[row] = by_meaning.agreement;
    probed_.semantic_entropy[row] = by_meaning.entropy;
  }

  const Completions& prompts_;
  const Asked& model_;
  const GradeOfAnswer& grade_;
  const ProbeOptions& options_;
  const MeaningOfAnswer& meaning_;
  std::vector<std::vector<int64_t>> tokens_;
  Probed probed_;
};

}  // namespace

Probed probe(const Completions& prompts, const Asked& model, const GradeOfAnswer& grade,
             const ProbeOptions& options, Generator& generator, const MeaningOfAnswer& meaning) {
  options.validate();
  require(static_cast<bool>(grade), "grade of answers to probe", "a function", "none");
  require(static_cast<bool>(meaning), "meaning of answers to probe", "a function", "none");
  const Completions asked = with_distinct_ids(prompts);
  Probing probing(asked, model, grade, options, meaning);
  for (const Tensor& rows : batches_of(asked, options)) {
    probing.greedy(rows, generator);
    if (options.samples > 0) probing.sample(rows, generator);
  }
  generator.advance();
  return std::move(probing).finish();
}

}  // namespace detail
}  // namespace rlhf::evaluation
