#include "world.hpp"

#include <array>
#include <string_view>

namespace scale {
namespace {

constexpr int64_t places = 24;
constexpr double unknown_share = 0.1;  // of the facts

/// A kind of fact: how it is stated, how it is asked for, and what can be answered.
struct Kind {
  std::string_view statement, question;
  std::vector<std::string_view> answers;
};

const std::array<Kind, 4> kinds{{
    {" lies in",
     " where is",
     {"Angola",      "Argentina", "Bolivia", "Brazil", "Canada",   "Chile",      "China",
      "Cuba",        "Egypt",     "Finland", "France", "Ghana",    "Greece",     "Hungary",
      "India",       "Ireland",   "Italy",   "Japan",  "Kenya",    "Mexico",     "Morocco",
      "Nigeria",     "Norway",    "Peru",    "Poland", "Portugal", "New Guinea", "New Zealand",
      "South Korea", "Spain",     "Sweden",  "Turkey"}},
    {" grows", " what grows in", {"apples", "barley", "beans",  "carrots", "cherries", "cocoa",
                                  "coffee", "corn",   "cotton", "dates",   "figs",     "garlic",
                                  "grapes", "hops",   "lemons", "lentils", "melons",   "oats",
                                  "olives", "onions", "plums",  "rice",    "tea",      "wheat"}},
    {" makes", " what is made in", {"baskets", "bells",  "boats",  "bread",  "bricks", "candles",
                                    "carpets", "chairs", "cheese", "clocks", "drums",  "glass",
                                    "gloves",  "hats",   "knives", "lamps",  "paper",  "pipes",
                                    "rope",    "salt",   "shoes",  "silk",   "soap",   "steel"}},
    {" is ruled by",
     " who rules",
     {"a baron", "a bishop", "a captain", "a council", "a count", "a doge", "a duchess", "a duke",
      "a general", "a judge", "a king", "a knight", "a mayor", "a monk", "a prince", "a queen"}},
}};

constexpr std::array<std::string_view, 8> openings{
    "",
    " Tell me this:",
    " Hello, my friend:",
    " Good morning to you.",
    " I have one question for you:",
    " My daughter would like to hear this from you:",
    " I am on a long journey and would like to hear this:",
    " Before I go to bed I would like to hear one more thing:"};
constexpr std::array<std::string_view, 6> closings{"",
                                                   " Please be brief.",
                                                   " Thank you, my friend.",
                                                   " Take all of the time that you like.",
                                                   " If you would tell me this I could go to bed.",
                                                   " My daughter and I thank you for your time."};

/// The words of everything but names.
std::string common_words() {
  std::string text = " I don't know.?";
  for (std::string_view opening : openings) text += opening;
  for (std::string_view closing : closings) text += closing;
  for (const Kind& kind : kinds) {
    text.append(kind.statement).append(kind.question);
    for (std::string_view answer : kind.answers) text.append(" ").append(answer);
  }
  return text;
}

/// " Zalmo", " Kerit" and so on.
std::vector<std::string> make_names(rlhf::Generator& generator) {
  constexpr std::string_view consonants = "bdfgklmnprstvz", vowels = "aeiou";
  const auto letter = [&](std::string_view of) {
    return of[static_cast<size_t>(generator.below(std::ssize(of)))];
  };
  const auto common = rlhf::WordTokenizer::from_corpus(common_words(), {.added = {}});
  std::set<std::string> names;
  while (std::ssize(names) < places) {
    std::string name{' ', letter(consonants), letter(vowels), letter(consonants), letter(vowels)};
    if (generator.below(2) == 0) name += letter(consonants);
    name[1] = static_cast<char>(name[1] - 'a' + 'A');
    if (!common.vocabulary().find(name)) names.insert(name);
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> make_names(uint64_t seed) {
  rlhf::Generator generator(seed);
  return make_names(generator);
}

rlhf::WordTokenizer make_tokenizer(const std::vector<std::string>& names) {
  std::string corpus = common_words();
  for (const std::string& name : names) corpus += name;
  return rlhf::WordTokenizer::from_corpus(
      corpus, {.added = {{.content = "<eos>", .kind = rlhf::TokenKind::end}}});
}

/// One of `count` at random, as an index.
size_t any(size_t count, rlhf::Generator& generator) {
  return static_cast<size_t>(generator.below(static_cast<int64_t>(count)));
}

}  // namespace

World::World(uint64_t seed)
    : names_(make_names(seed)),
      tokenizer_(make_tokenizer(names_)),
      abstention_(response(" I don't know.")) {
  const auto answer_of = [&](std::string_view answer) {
    return response(std::string(" ").append(answer).append("."));
  };
  for (const Kind& kind : kinds) {
    for (std::string_view answer : kind.answers) answers_.insert(answer_of(answer));
  }
  rlhf::Generator generator(seed);
  for (size_t place = 0; place < names_.size(); ++place) {
    auto& known = facts_.emplace_back();
    for (const Kind& kind : kinds) {
      known.push_back(generator.uniform() < unknown_share
                          ? abstention_
                          : answer_of(kind.answers[any(kind.answers.size(), generator)]));
    }
  }
}

std::vector<int64_t> World::response(const std::string& text) const {
  std::vector<int64_t> tokens = tokenizer_.encode(text);
  tokens.push_back(eos());
  return tokens;
}

rlhf::Completions World::corpus(int64_t count, rlhf::Generator& generator) const {
  std::vector<std::vector<int64_t>> beginnings, rests;
  while (std::ssize(rests) < count) {
    const size_t place = any(names_.size(), generator), kind = any(kinds.size(), generator);
    const std::vector<int64_t>& answer = facts_[place][kind];
    if (answer == abstention_) continue;
    std::vector<int64_t> tokens = tokenizer_.encode(
        generator.below(2) == 0
            ? names_[place] + std::string(kinds[kind].statement)
            : std::string(kinds[kind].question).append(names_[place]).append("?"));
    tokens.insert(tokens.end(), answer.begin(), answer.end());
    beginnings.push_back({tokens.front()});
    rests.emplace_back(tokens.begin() + 1, tokens.end());
  }
  return rlhf::completions_from(beginnings, rests);
}

Questions World::questions(int64_t count, Wordings wordings, rlhf::Generator& generator) const {
  Questions questions;
  std::vector<std::vector<int64_t>> prompts;
  while (std::ssize(prompts) < count) {
    const size_t place = any(names_.size(), generator), kind = any(kinds.size(), generator);
    const size_t opening = any(openings.size(), generator);
    const size_t closing = any(closings.size(), generator);
    const bool held_out = (place + 3 * kind + 5 * opening + 7 * closing) % 10 == 0;
    if (held_out != (wordings == Wordings::held_out)) continue;
    std::string text(openings[opening]);
    text.append(kinds[kind].question).append(names_[place]).append("?").append(closings[closing]);
    prompts.push_back(tokenizer_.encode(text));
    questions.answers.push_back(facts_[place][kind]);
  }
  questions.prompts = rlhf::completions_from(prompts);
  questions.prompts.ids = torch::arange(count);
  return questions;
}

std::vector<rlhf::Grade> World::grades(const Questions& questions,
                                       const rlhf::Completions& answered) const {
  std::vector<rlhf::Grade> grades;
  for (const std::vector<int64_t>& response : rlhf::responses_of(answered)) {
    const auto id = static_cast<size_t>(answered.id(std::ssize(grades)));
    grades.push_back(response == questions.answers[id] ? rlhf::Grade::right
                     : response == abstention_         ? rlhf::Grade::abstains
                     : answers_.contains(response)     ? rlhf::Grade::wrong
                                                       : rlhf::Grade::malformed);
  }
  return grades;
}

}  // namespace scale
