#include "rlhf/reward/text_pairs.hpp"

#include <fmt/format.h>

#include "rlhf/core/error.hpp"

namespace rlhf::reward {

using nlohmann::json;

DecodedRollout RolloutReader::operator()(const Rollout& rollout) const {
  const Completions& completions = rollout.completions;
  const std::vector<int64_t> tokens = int64_vector(completions.tokens);
  const std::vector<int64_t> prompt_lengths = int64_vector(completions.prompt_lengths);
  const std::vector<int64_t> response_lengths = int64_vector(completions.response_lengths);
  DecodedRollout decoded;
  decoded.texts_.reserve(2 * prompt_lengths.size());  // views into it are kept: it must not grow
  std::span<const int64_t> rest = tokens;
  const auto decode_next = [&](int64_t length, SpecialTokens special) -> std::string_view {
    const auto count = static_cast<size_t>(length);
    decoded.texts_.push_back(decode_(rest.first(count), special));
    rest = rest.subspan(count);
    return decoded.texts_.back();
  };
  for (size_t i = 0; i < prompt_lengths.size(); ++i) {
    const std::string_view prompt = decode_next(prompt_lengths[i], options_.in_prompt);
    const std::string_view response = decode_next(response_lengths[i], options_.in_response);
    decoded.pairs_.push_back({prompt, response, row_of(completions, static_cast<int64_t>(i))});
  }
  return decoded;
}

const json* RolloutReader::row_of(const Completions& completions, int64_t sequence) const {
  if (!has_rows()) return nullptr;
  require(completions.ids.has_value(), "Completions::ids", "ids to look data rows up by", "none");
  const int64_t id = completions.id(sequence);
  const auto count = static_cast<int64_t>(rows_->size());
  require(id >= 0 && id < count, fmt::format("id of sequence {}", sequence),
          fmt::format("that of one of {} data rows", count), id);
  return &(*rows_)[static_cast<size_t>(id)];
}

std::string quoted_prompt(std::string_view prompt) {
  constexpr size_t longest = 200;
  const bool whole = prompt.size() <= longest;
  return json(prompt.substr(0, longest)).dump(-1, ' ', false, json::error_handler_t::ignore) +
         (whole ? "" : "...");
}

}  // namespace rlhf::reward
