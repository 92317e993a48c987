#include "rlhf/text/word_tokenizer.hpp"

#include <algorithm>
#include <map>

#include "pattern.hpp"
#include "pieces.hpp"
#include "rlhf/io/utf8.hpp"
#include "unicode_sets.hpp"

namespace rlhf {
namespace {

const text::Pattern& words() {
  // A word, with its inner apostrophes; a mark; one white space character.
  static const text::Pattern pattern(fmt::format(R"( ?[{0}]+(?:'[{0}]+)*| ?[^{1}]|[{1}])",
                                                 text::letters() + text::numbers() + R"(\p{M}_)",
                                                 text::white_space()));
  return pattern;
}

template <class Visit>
void split_words(std::string_view segment, Visit&& visit) {
  text::split_invalid(
      segment, [&](std::string_view valid) { words().split(valid, visit); }, visit);
}

}  // namespace

void WordTokenizerOptions::validate() const {
  require(min_count >= 1, "WordTokenizerOptions::min_count", ">= 1", min_count);
}

WordTokenizer WordTokenizer::from_corpus(std::string_view corpus,
                                         const WordTokenizerOptions& options) {
  options.validate();
  require(!corpus.empty(), "corpus of a WordTokenizer", "text", "none");
  io::require_utf8(corpus, "corpus of a WordTokenizer");
  // What an added token stands for needs no words of its own.
  const Vocabulary added_only({}, options.added);
  std::map<std::string_view, int64_t> counts;
  for (const auto& segment : added_only.segments(corpus, SpecialText::read)) {
    if (!segment.id) split_words(segment.text, [&](std::string_view word) { ++counts[word]; });
  }
  std::vector<std::pair<std::string_view, int64_t>> frequent;
  std::copy_if(counts.begin(), counts.end(), std::back_inserter(frequent),
               [&](const auto& entry) { return entry.second >= options.min_count; });
  std::stable_sort(frequent.begin(), frequent.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> tokens;
  for (const auto& [word, count] : frequent) tokens.emplace_back(word);
  return WordTokenizer(Vocabulary(std::move(tokens), options.added));
}

std::vector<int64_t> WordTokenizer::encode(std::string_view text, SpecialText special) const {
  return text::encode_pieces(vocabulary_, text, special,
                             [](auto segment, auto&& visit) { split_words(segment, visit); });
}

}  // namespace rlhf
