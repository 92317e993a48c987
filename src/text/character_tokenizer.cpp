#include "rlhf/text/character_tokenizer.hpp"

#include <algorithm>
#include <set>

#include "pieces.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf {
namespace {

template <class Visit>
void split_characters(std::string_view text, Visit&& visit) {
  while (!text.empty()) {
    const size_t length = std::max<size_t>(1, io::utf8_length(text));
    visit(text.substr(0, length));
    text.remove_prefix(length);
  }
}

}  // namespace

CharacterTokenizer CharacterTokenizer::from_corpus(std::string_view corpus,
                                                   std::vector<AddedToken> added) {
  require(!corpus.empty(), "corpus of a CharacterTokenizer", "text", "none");
  io::require_utf8(corpus, "corpus of a CharacterTokenizer");
  std::set<std::string_view> characters;  // UTF-8 sorts as its code points do
  split_characters(corpus, [&](std::string_view character) { characters.insert(character); });
  return CharacterTokenizer(Vocabulary({characters.begin(), characters.end()}, std::move(added)));
}

std::vector<int64_t> CharacterTokenizer::encode(std::string_view text, SpecialText special) const {
  return text::encode_pieces(vocabulary_, text, special,
                             [](auto segment, auto&& visit) { split_characters(segment, visit); });
}

}  // namespace rlhf
