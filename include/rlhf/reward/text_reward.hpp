/// A reward that reads text: any function of prompt and response, or of a whole rollout at once.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <utility>

#include "rlhf/reward/text_pairs.hpp"

namespace rlhf {

// The three forms a function of text may have.

template <class F>
concept ScoresPair = requires(F& score, std::string_view text) {
  { score(text, text) } -> std::convertible_to<float>;
};
template <class F>
concept ScoresPairAndRow = requires(F& score, std::string_view text, const nlohmann::json& row) {
  { score(text, text, row) } -> std::convertible_to<float>;
};
template <class F>
concept ScoresBatch = requires(F& score, std::span<const TextPair> pairs) {
  { score(pairs) } -> std::convertible_to<std::vector<float>>;
};

/// Scores the decoded text of a rollout. Models Reward.
///
///     TextReward politeness{tokenizer, [](std::string_view prompt, std::string_view response) {
///       return response.ends_with("please.") ? 1.0F : 0.0F; }};
///     TextReward exact{tokenizer, [](auto prompt, auto response, const nlohmann::json& row) {
///       return response == row.at("answer") ? 1.0F : 0.0F; }, data::extras_of(rows)};
///     TextReward judge{tokenizer, [&](std::span<const TextPair> pairs) { return ask(pairs); }};
///
/// The last form is for a model of its own tokenizer and view of the question: it gets the whole
/// rollout and scores it in one pass. Special tokens are not shown unless the options say so.
class TextReward {
 public:
  /// Borrows the tokenizer, owns the function. `rows[id]` are the further fields of data row `id`.
  /// @throws Error where the function asks for rows and there are none
  template <Tokenizer T, class F>
  TextReward(const T& tokenizer, F score, std::vector<nlohmann::json> rows = {},
             TextRewardOptions options = {})
      : read_(tokenizer, std::move(rows), options) {
    static_assert(
        ScoresPair<F> || ScoresPairAndRow<F> || ScoresBatch<F>,
        "rlhf: a TextReward's function must be float(std::string_view prompt, std::string_view "
        "response), float(prompt, response, const nlohmann::json& row) or "
        "std::vector<float>(std::span<const TextPair>)");
    if constexpr (ScoresPairAndRow<F>) require_rows();
    score_ = [owned = std::make_shared<F>(std::move(score))](std::span<const TextPair> pairs) {
      if constexpr (ScoresBatch<F>) {
        return std::vector<float>((*owned)(pairs));
      } else {
        std::vector<float> scores;
        for (const TextPair& pair : pairs) scores.push_back(one_score(*owned, pair));
        return scores;
      }
    };
  }
  template <Tokenizer T, class F>
  TextReward(const T&& tokenizer, F, std::vector<nlohmann::json> = {},
             TextRewardOptions = {}) = delete;

  /// float32 [B], on the completions' device.
  /// @throws Error for a score that is not finite, naming the sequence and its prompt; for another
  ///         number of scores than pairs; and for a sequence whose data row is not found
  Tensor operator()(const Rollout& rollout) const;

 private:
  template <class F>
  static float one_score(F& score, const TextPair& pair) {
    if constexpr (ScoresPairAndRow<F>) {
      return static_cast<float>(score(pair.prompt, pair.response, *pair.row));
    } else {
      return static_cast<float>(score(pair.prompt, pair.response));
    }
  }
  void require_rows() const;

  reward::RolloutReader read_;
  std::function<std::vector<float>(std::span<const TextPair>)> score_;
};

}  // namespace rlhf
