/// Encoding for tokenizers whose every piece of text is one token.
#pragma once

#include <fmt/format.h>

#include "rlhf/core/error.hpp"
#include "rlhf/text/vocabulary.hpp"

namespace rlhf::text {

/// `split(text, visit)` calls visit(piece) for the pieces of the text, in order.
template <class Split>
std::vector<int64_t> encode_pieces(const Vocabulary& vocabulary, std::string_view text,
                                   SpecialText special, Split&& split) {
  std::vector<int64_t> ids;
  for (const Segment& segment : vocabulary.segments(text, special)) {
    if (segment.id) {
      ids.push_back(*segment.id);
      continue;
    }
    split(segment.text, [&](std::string_view piece) {
      const auto known = vocabulary.find(piece);
      const auto id = known ? known : vocabulary.unknown_token();
      if (!id) {
        fail(fmt::format("text at offset {}", piece.data() - text.data()),
             "a token of the vocabulary, which has none of kind unknown",
             fmt::format("{:?}", piece));
      }
      ids.push_back(*id);
    });
  }
  return ids;
}

}  // namespace rlhf::text
