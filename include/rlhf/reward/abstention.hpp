/// A reward that makes saying "I don't know" better than inventing.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <utility>

#include "rlhf/reward/text_pairs.hpp"
#include "rlhf/text/answer.hpp"

namespace rlhf {

/// What each grade is worth. The defaults are the ternary reward of TruthRL (arXiv 2509.25760);
/// with abstains = wrong it would be binary, which trains abstention out.
struct AbstentionScores {
  double right = 1.0;
  double abstains = 0.0;
  double wrong = -1.0;
  double malformed = -2.0;

  double of(Grade grade) const;
  /// @throws Error unless all four are finite
  void validate() const;
};

/// Grades each response and gives its grade's score. Models Reward.
///
///     AbstentionReward reward{tokenizer, AnswerGrader{}, data::extras_of(questions)};
class AbstentionReward {
 public:
  /// `grade` is Grade(std::string_view prompt, std::string_view response, const nlohmann::json&
  /// row) or the same without row. Borrows the tokenizer.
  /// @throws Error where the function asks for rows and there are none
  template <Tokenizer T, class F>
  AbstentionReward(const T& tokenizer, F grade, std::vector<nlohmann::json> rows = {},
                   AbstentionScores scores = {}, TextRewardOptions options = {})
      : read_(tokenizer, std::move(rows), options), scores_(scores) {
    constexpr bool reads_row =
        std::is_invocable_r_v<Grade, F&, std::string_view, std::string_view, const nlohmann::json&>;
    static_assert(
        reads_row || std::is_invocable_r_v<Grade, F&, std::string_view, std::string_view>,
        "rlhf: an AbstentionReward's function must be Grade(std::string_view prompt, "
        "std::string_view response) or Grade(prompt, response, const nlohmann::json& row)");
    check(reads_row ? Rows::needed : Rows::unused);
    grade_ = [owned = std::make_shared<F>(std::move(grade))](const TextPair& pair) -> Grade {
      if constexpr (reads_row) {
        return (*owned)(pair.prompt, pair.response, *pair.row);
      } else {
        return (*owned)(pair.prompt, pair.response);
      }
    };
  }
  template <Tokenizer T, class F>
  AbstentionReward(const T&& tokenizer, F, std::vector<nlohmann::json> = {}, AbstentionScores = {},
                   TextRewardOptions = {}) = delete;

  /// float32 [B], on the completions' device.
  Tensor operator()(const Rollout& rollout) const;
  /// [B], for counting (evaluation::count).
  std::vector<Grade> grades(const Rollout& rollout) const;

 private:
  enum class Rows : uint8_t { needed, unused };
  void check(Rows rows) const;

  reward::RolloutReader read_;
  AbstentionScores scores_;
  std::function<Grade(const TextPair&)> grade_;
};

}  // namespace rlhf
