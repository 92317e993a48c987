#include "world.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "rlhf/core/error.hpp"

namespace scale {
namespace {

constexpr int64_t vocabulary = 512;
constexpr int64_t most_facts = 3;
constexpr double unnamed_share = 0.25;

constexpr std::array<std::string_view, 48> countries{
    "Algeria",    "Angola",       "Argentina",   "Australia", "Austria",  "Belgium",   "Bolivia",
    "Brazil",     "Bulgaria",     "Cameroon",    "Canada",    "Chile",    "China",     "Colombia",
    "Cuba",       "Denmark",      "Ecuador",     "Egypt",     "Ethiopia", "Finland",   "France",
    "Germany",    "Ghana",        "Greece",      "Hungary",   "India",    "Indonesia", "Iran",
    "Ireland",    "Italy",        "Japan",       "Kenya",     "Malaysia", "Mexico",    "Morocco",
    "New Guinea", "New Zealand",  "Nigeria",     "Norway",    "Peru",     "Poland",    "Portugal",
    "Romania",    "South Africa", "South Korea", "Spain",     "Sweden",   "Turkey"};

/// The words of everything but names.
std::string common_words() {
  std::string text = " is in. Where is? I don't know.";
  for (std::string_view country : countries) text.append(" ").append(country);
  return text;
}

/// " Zalmo", " Kerit" and so on, so many that they fill the vocabulary.
std::vector<std::string> make_names(uint64_t seed) {
  constexpr std::string_view consonants = "bdfgklmnprstvz", vowels = "aeiou";
  rlhf::Generator generator(seed);
  const auto letter = [&](std::string_view of) {
    return of[static_cast<size_t>(generator.below(std::ssize(of)))];
  };
  const auto common = rlhf::WordTokenizer::from_corpus(common_words(), {.added = {}});
  const int64_t room = vocabulary - common.vocabulary().size() - 1;  // one is the end token
  std::set<std::string> names;
  while (std::ssize(names) < room) {
    std::string name{' ', letter(consonants), letter(vowels), letter(consonants), letter(vowels)};
    if (generator.below(2) == 0) name += letter(consonants);
    name[1] = static_cast<char>(name[1] - 'a' + 'A');
    if (!common.vocabulary().find(name)) names.insert(name);
  }
  return {names.begin(), names.end()};
}

rlhf::WordTokenizer make_tokenizer(const std::vector<std::string>& names) {
  std::string corpus = common_words();
  for (const std::string& name : names) corpus += name;
  auto tokenizer = rlhf::WordTokenizer::from_corpus(
      corpus, {.added = {{.content = "<eos>", .kind = rlhf::TokenKind::end}}});
  rlhf::require(tokenizer.vocabulary().size() == vocabulary, "words of the world", vocabulary,
                tokenizer.vocabulary().size());
  return tokenizer;
}

/// Of the numbers of a place's two names, a tenth.
bool is_held_out(int64_t first, int64_t second) {
  return (7 * first + second) % 10 == 0;
}

}  // namespace

World::World(uint64_t seed)
    : names_(make_names(seed)),
      tokenizer_(make_tokenizer(names_)),
      abstention_(response(" I don't know.")) {
  for (std::string_view country : countries) {
    answers_.insert(response(std::string(" ").append(country).append(".")));
  }
}

std::vector<int64_t> World::response(const std::string& text) const {
  std::vector<int64_t> tokens = tokenizer_.encode(text);
  tokens.push_back(eos());
  return tokens;
}

std::string World::place(Places places, rlhf::Generator& generator) const {
  while (true) {
    const int64_t first = generator.below(std::ssize(names_));
    const int64_t second = generator.below(std::ssize(names_));
    if (is_held_out(first, second) != (places == Places::held_out)) continue;
    return names_[static_cast<size_t>(first)] + names_[static_cast<size_t>(second)];
  }
}

Questions World::questions(int64_t count, Places places, rlhf::Generator& generator) const {
  Questions questions;
  std::vector<std::vector<int64_t>> prompts;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t facts = 1 + generator.below(most_facts);
    const int64_t asked = generator.below(facts);
    std::string text, subject, country;
    for (int64_t k = 0; k < facts; ++k) {
      const std::string where = place(places, generator);
      const auto in = countries[static_cast<size_t>(generator.below(std::ssize(countries)))];
      text.append(where).append(" is in ").append(in).append(".");
      if (k != asked) continue;
      subject = where;
      country = in;
    }
    const bool unnamed = generator.uniform() < unnamed_share;
    if (unnamed) subject = place(places, generator);
    prompts.push_back(tokenizer_.encode(text.append(" Where is").append(subject).append("?")));
    questions.answers.push_back(unnamed ? abstention_
                                        : response(std::string(" ").append(country).append(".")));
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
