/// Chat templates for tests, and a byte-level BPE that knows their marks.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rlhf/text/chat_template.hpp"
#include "support/small_bpe.hpp"

namespace rlhf::test {

inline const std::string chatml =
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + "
    "'<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% endif %}";

/// A token a byte; each of `marks` is a special token, and `end` ends a response.
inline ByteLevelBpe chat_tokenizer(const std::string& end = "<|im_end|>",
                                   const std::vector<std::string>& marks = {"<|im_start|>"}) {
  std::vector<AddedToken> added{{.content = end, .kind = TokenKind::end}};
  for (const std::string& mark : marks) {
    added.push_back({.content = mark, .kind = TokenKind::special});
  }
  return ByteLevelBpe(small_bpe({}, std::move(added)));
}

}  // namespace rlhf::test
