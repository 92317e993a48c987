/// Split rules, compiled.
#pragma once

#include "pattern.hpp"
#include "rlhf/text/split_rule.hpp"

namespace rlhf::text {

class PreTokenizer {
 public:
  /// @throws Error naming the pattern that does not compile
  explicit PreTokenizer(std::vector<SplitRule> rules);

  /// Calls visit(piece) for the pieces of `text`, which is valid UTF-8, in order. A piece may not
  /// lie in `text`: a space may have been put before it.
  template <class Visit>
  void cut(std::string_view text, Visit&& visit) const {
    cut_from(0, text, visit);
  }

  const std::vector<SplitRule>& rules() const { return rules_; }

 private:
  /// A stretch of a text; nobody wants one that is `left_out`.
  struct Stretch {
    size_t start, end;
    bool left_out = false;
  };

  template <class Visit>
  void cut_from(size_t rule, std::string_view text, Visit& visit) const {
    if (rule == rules_.size()) {
      visit(text);
      return;
    }
    const SplitRule& how = rules_[rule];
    std::string prefixed;
    if (how.prefix_space && !text.starts_with(' ')) {
      prefixed.append(" ").append(text);
      text = prefixed;
    }
    const auto next = [&](std::string_view piece) { cut_from(rule + 1, piece, visit); };
    const auto& pattern = patterns_[rule];
    if (!pattern) {
      next(text);
    } else if (how.behavior == SplitBehavior::isolated) {  // inverted or not
      pattern->split(text, next);
    } else {
      for (const Stretch& stretch : stretches(rule, text)) {
        if (!stretch.left_out && stretch.end > stretch.start) {
          next(text.substr(stretch.start, stretch.end - stretch.start));
        }
      }
    }
  }

  std::vector<Stretch> stretches(size_t rule, std::string_view text) const;

  std::vector<SplitRule> rules_;
  std::vector<std::optional<Pattern>> patterns_;  // none where a rule has none
};

}  // namespace rlhf::text
