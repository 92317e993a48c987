#include "rlhf/text/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "rlhf/core/error.hpp"

namespace rlhf {
namespace {

using nlohmann::json;

bool is_punctuation(char byte) {
  return (byte >= '!' && byte <= '/') || (byte >= ':' && byte <= '@') ||
         (byte >= '[' && byte <= '`') || (byte >= '{' && byte <= '~');
}

bool is_space(char byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/// U+2018, U+2019, U+201C, U+201D: three bytes of UTF-8 each.
bool starts_with_quote(std::string_view text) {
  static constexpr std::array<std::string_view, 4> quotes = {"\u2018", "\u2019", "\u201c",
                                                             "\u201d"};
  return std::ranges::any_of(quotes,
                             [&](std::string_view quote) { return text.starts_with(quote); });
}

std::string without_leading_article(std::string text) {
  for (std::string_view article : {"a ", "an ", "the "}) {
    if (text.starts_with(article)) return text.substr(article.size());
  }
  return text;
}

/// `phrase` stands in `text` at the edges of words.
bool contains_words(std::string_view text, const std::string& phrase) {
  return fmt::format(" {} ", text).find(fmt::format(" {} ", phrase)) != std::string::npos;
}

bool is_gold(const json& gold, const std::string& answer, std::string_view field) {
  if (gold.is_string()) return normalised_answer(gold.get_ref<const std::string&>()) == answer;
  const std::string what = fmt::format("field \"{}\" of the data row", field);
  require(gold.is_array(), what, "a string or an array of strings", gold.type_name());
  return std::ranges::any_of(gold, [&](const json& item) {
    require(item.is_string(), what, "a string or an array of strings",
            fmt::format("an array that holds {}", item.type_name()));
    return normalised_answer(item.get_ref<const std::string&>()) == answer;
  });
}

}  // namespace

std::string_view name_of(Grade grade) {
  switch (grade) {
    case Grade::right:
      return "right";
    case Grade::abstains:
      return "abstains";
    case Grade::wrong:
      return "wrong";
    case Grade::malformed:
      return "malformed";
  }
  fail("Grade", "right, abstains, wrong or malformed", fmt::format("{}", static_cast<int>(grade)));
}

std::string normalised_answer(std::string_view text) {
  std::string words;
  bool between_words = false;
  while (!text.empty()) {
    const char byte = text.front();
    if (starts_with_quote(text)) {
      text.remove_prefix(3);
      continue;
    }
    text.remove_prefix(1);
    if (is_punctuation(byte)) continue;
    if (is_space(byte)) {
      between_words = !words.empty();
      continue;
    }
    if (between_words) words.push_back(' ');
    between_words = false;
    words.push_back(byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte);
  }
  return without_leading_article(std::move(words));
}

AnswerGrader::AnswerGrader(AnswerGraderOptions options)
    : gold_field_(std::move(options.gold_field)) {
  for (const std::string& phrase : options.abstentions) {
    abstentions_.push_back(normalised_answer(phrase));
    require(!abstentions_.back().empty(), "AnswerGraderOptions::abstentions",
            "phrases with a word in them", fmt::format("\"{}\"", phrase));
  }
  for (const std::string& answer : options.allowed) allowed_.insert(normalised_answer(answer));
}

Grade AnswerGrader::operator()(std::string_view, std::string_view response, const json& row) const {
  const auto gold = row.find(gold_field_);
  require(gold != row.end(), fmt::format("field \"{}\" of the data row", gold_field_),
          "a string or an array of strings", "no such field");
  const std::string answer = normalised_answer(response);
  if (answer.empty()) return Grade::malformed;
  if (is_gold(*gold, answer, gold_field_)) return Grade::right;
  const auto stands_in_answer = [&](const std::string& phrase) {
    return contains_words(answer, phrase);
  };
  if (std::ranges::any_of(abstentions_, stands_in_answer)) return Grade::abstains;
  if (!allowed_.empty() && !allowed_.contains(answer)) return Grade::malformed;
  return Grade::wrong;
}

}  // namespace rlhf
