// Tokenizers and chat templates, whose copies share what is behind them, in many threads.
#include <gtest/gtest.h>

#include "rlhf/text/byte_level_bpe.hpp"
#include "rlhf/text/chat_template.hpp"
#include "support/small_bpe.hpp"
#include "threads/in_threads.hpp"

namespace rlhf {
namespace {

ByteLevelBpe small_tokenizer() {
  return ByteLevelBpe(
      test::small_bpe({{"a", "b"}, {"ab", "c"}, {" ", "a"}, {"b", "c"}, {" a", "bc"}}));
}

TEST(Threads, ShareATokenizerAndItsCache) {
  const ByteLevelBpe tokenizer = small_tokenizer();
  std::vector<std::vector<int64_t>> expected;
  std::vector<std::string> texts;
  for (size_t i = 0; i < 100; ++i) {
    texts.push_back(" ab abc" + std::to_string(i) + std::string(i, 'a') + "bc");
    expected.push_back(small_tokenizer().encode(texts.back()));
  }
  test::in_threads(6, [&](int rank) {
    const ByteLevelBpe copy = tokenizer;
    for (size_t i = 0; i < texts.size(); ++i) {
      const size_t place = (i * 7 + static_cast<size_t>(rank)) % texts.size();
      EXPECT_EQ(copy.encode(texts[place]), expected[place]);
      EXPECT_EQ(copy.decode(expected[place]), texts[place]);
    }
  });
}

TEST(Threads, ShareAChatTemplate) {
  const ChatTemplate chat(
      "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}"
      "<{{ m.role }} {{ ns.n }}>{{ m.content | trim }}<|im_end|>{% endfor %}");
  test::in_threads(6, [&](int rank) {
    const ChatTemplate copy = chat;
    for (int i = 0; i < 50; ++i) {
      const std::string said = std::to_string(rank * 100 + i);
      const std::vector<Message> messages{{.role = "user", .content = said}};
      EXPECT_EQ(copy.render(messages), "<user 1>" + said + "<|im_end|>");
    }
  });
}

}  // namespace
}  // namespace rlhf
