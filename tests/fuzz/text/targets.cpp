#include "fuzz/text/targets.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "fuzz/place.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/text/byte_level_bpe.hpp"
#include "rlhf/text/chat_template.hpp"
#include "rlhf/text/llama2c_tokenizer.hpp"

namespace rlhf::fuzz {
namespace {

/// Whatever text a tokenizer is given, its ids are its own.
template <class T>
void use(const T& tokenizer) {
  const std::string text = "Hello <|end|>  world's caf\u00e9 12345\xff\n";
  const auto ids = tokenizer.encode(text);
  for (const int64_t id : ids) {
    if (id < 0 || id >= tokenizer.vocabulary().size()) throw std::logic_error("an id of no token");
  }
  tokenizer.decode(ids, SpecialTokens::keep);
}

/// tokenizer.json, tokenizer_config.json and generation_config.json.
void read_tokenizer_json(const std::string& bytes) {
  const auto [tokenizer, rest] = cut(bytes);
  const auto [config, generation] = cut(rest);
  put(folder() / "tokenizer.json", tokenizer);
  put(folder() / "tokenizer_config.json", config);
  put(folder() / "generation_config.json", generation);
  const ByteLevelBpe read = ByteLevelBpe::load(folder());
  beyond_the_file([&] { use(read); });
}

void read_bpe_files(const std::string& bytes) {
  const auto [encoder, merges] = cut(bytes);
  put(file_name, encoder);
  put("fuzzed.bpe", merges);
  const auto read =
      ByteLevelBpe::load(file_name, "fuzzed.bpe", {{.content = "<|end|>", .id = 258}});
  beyond_the_file([&] { use(read); });
}

void read_llama2c_tokenizer(const std::string& bytes) {
  put(file_name, bytes);
  use(Llama2cTokenizer::load(file_name, 262));
}

/// chat_template.jinja, and the messages it writes down.
void read_chat_template(const std::string& bytes) {
  const auto [source, messages] = cut(bytes);
  put(folder() / "chat_template.jinja", source);
  const ChatTemplate loaded = ChatTemplate::load(folder());
  beyond_the_file([&, messages = messages] {
    // The limits of a template that is read are generous: a million runs of them are not.
    const ChatTemplate quick(loaded.source(), {.bos = "<s>", .eos = "</s>", .pad = {}, .unk = {}},
                             {.steps = 20'000, .output_bytes = 1 << 16});
    const auto conversation = messages_from(io::parse_ordered_json(messages, file_name));
    const std::vector<std::string> ends{"<|im_end|>"};
    quick.render(conversation, {.add_generation_prompt = true});
    for (const auto [begin, end] : quick.render_turns(conversation, ends).assistant) {
      if (begin > end) throw std::logic_error("a turn that ends before it begins");
    }
  });
}

/// The file begins with the length of its longest token.
void mend_llama2c(std::string& bytes) {
  if (bytes.size() >= 4) bytes.replace(0, 4, std::string("\x08\0\0\0", 4));
}

}  // namespace

Target tokenizer_json_target() {
  return {"tokenizer_json",
          read_tokenizer_json,
          {"\"BPE\"",
           "\"ByteLevel\"",
           "\"Split\"",
           "\"Digits\"",
           "\"Sequence\"",
           "\"NFC\"",
           "\"TemplateProcessing\"",
           "\"pattern\":{\"Regex\":\"",
           "\"String\":",
           "\"behavior\":\"Removed\"",
           "\"invert\":true",
           "\"ids\":[",
           "\"special\":true",
           "(?i:",
           "\\\\p{L}+",
           "(a*)*b",
           "[^\\\\s]",
           "{1,3}",
           "(?!\\\\S)",
           "[[a]-b]",
           "null",
           "\xc4\xa0",
           "-1",
           "1e9",
           "\\u0000",
           std::string(1, file_end)}};
}

Target bpe_files_target() {
  return {"bpe_files",
          read_bpe_files,
          {"\"a\":0,", "\xc4\xa0", "#version: 0.2\n", "a b\n", " ", "\n", "{", "}", "-1", "1e9",
           std::string(1, file_end)}};
}

Target llama2c_tokenizer_target() {
  return {"llama2c_tokenizer",
          read_llama2c_tokenizer,
          {std::string("\0\0\x80\x7f", 4), std::string("\0\0\xc0\x7f", 4), "<0x41>",
           std::string("\1\0\0\0", 4)},
          mend_llama2c};
}

Target chat_template_target() {
  return {"chat_template",
          read_chat_template,
          {"{{",
           "}}",
           "{%",
           "%}",
           "-%}",
           "{#",
           "#}",
           " if ",
           " else ",
           " endif ",
           " for ",
           " in ",
           " endfor",
           " set ",
           " endset ",
           " macro m() ",
           " endmacro ",
           " break ",
           "loop",
           "messages",
           "[0]",
           "['role']",
           ".content",
           "namespace()",
           "range(9)",
           "range(10**9)",
           "'a' * 99999999",
           "|trim",
           "|length",
           "|tojson",
           "|join",
           " is defined",
           " ~ ",
           " ** ",
           " // 0",
           "[::-1]",
           "raise_exception('x')",
           "generation",
           "endgeneration",
           "((((((((",
           "\"",
           "'",
           std::string(1, file_end)}};
}

}  // namespace rlhf::fuzz
