/// What the commands are tried on: a tiny chat model (a Llama), a base model (a GPT-2), and files
/// of rows.
#pragma once

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "rlhf/model/hugging_face.hpp"
#include "rlhf/text/train_bpe.hpp"
#include "support/temporary_folder.hpp"

namespace instructgpt {

namespace fs = std::filesystem;

inline std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

struct Outcome {
  int exit_code;
  std::string output;  ///< standard output and error
};

/// Runs a command with words that hold no quotes.
inline Outcome run(const std::string& command, const std::vector<std::string>& words) {
  std::string line = "'" RLHF_COMMANDS_DIR "/" + command + "'";
  for (const std::string& word : words) line += " '" + word + "'";
  Outcome outcome{};
  std::FILE* pipe = ::popen((line + " 2>&1").c_str(), "r");
  std::array<char, 4096> piece{};
  while (const size_t count = std::fread(piece.data(), 1, piece.size(), pipe)) {
    outcome.output.append(piece.data(), count);
  }
  outcome.exit_code = WEXITSTATUS(::pclose(pipe));
  return outcome;
}

class World {
 public:
  World() {
    write_model("chat", 0, true);
    write_model("base", 0, false);
    write_model("narrow", -3, false);  // the model lacks rows for the last tokens
    std::string demonstrations, rankings, prompts, texts, pairs;
    for (int i = 0; i < 24; ++i) {
      const std::string n = std::to_string(i % 8);
      const std::string user = R"({"role": "user", "content": "Say )" + n + R"("})";
      const auto said = [](const std::string& text) {
        return R"({"role": "assistant", "content": ")" + text + R"("})";
      };
      demonstrations +=
          R"({"messages": [)" + user + ", " + said("It is " + n) + "], \"n\": " + n + "}\n";
      rankings += R"({"prompt": [)" + user + R"(], "chosen": [)" + said("It is " + n) +
                  R"(], "rejected": [)" + said("no no no") + "]}\n";
      prompts += R"({"prompt": [)" + user + R"(], "answer": ")" + n + "\"}\n";
      texts += R"({"question": "Say )" + n + R"(:", "completion": " It is )" + n + "\"}\n";
      pairs += R"({"chosen": "Say )" + n + ": It is " + n + R"(", "rejected": "Say )" + n +
               ": no no no\"}\n";
    }
    folder_.put("demonstrations.jsonl", demonstrations);
    folder_.put("rankings.jsonl", rankings);
    folder_.put("prompts.jsonl", prompts);
    folder_.put("texts.jsonl", texts);
    folder_.put("pairs.jsonl", pairs);
  }

  /// The path of something in the world, as a word for a command.
  std::string operator[](const std::string& name) const { return (folder_ / name).string(); }
  fs::path put(const std::string& name, const std::string& text) const {
    return folder_.put(name, text);
  }

 private:
  /// @param more  rows of the embedding beyond the tokenizer's tokens
  void write_model(const std::string& name, int64_t more, bool is_chat) {
    const std::vector<std::string> corpus{"Say 0 Say 1 Say 2: It is 3 It is 4 no no no no",
                                          "user assistant user assistant system"};
    const rlhf::ByteLevelBpe trained = rlhf::text::train_bpe(
        corpus, {.merge_count = 30,
                 .added = {{.content = "<|im_start|>", .kind = rlhf::TokenKind::special},
                           {.content = "<|im_end|>", .kind = rlhf::TokenKind::end}}});
    rlhf::BpeParts parts{.tokens = {}, .merges = trained.merges(), .added = {}};
    for (int64_t id = 0; id < trained.vocabulary().size(); ++id) {
      parts.tokens.push_back(trained.vocabulary().token_of(id));
    }
    parts.added = trained.vocabulary().added_tokens();
    parts.rules.named.eos = "<|im_end|>";
    const rlhf::ByteLevelBpe tokenizer(parts);
    const fs::path files = folder_ / (name + ".tokenizer");
    fs::create_directory(files);
    tokenizer.save(files);
    std::map<std::string, std::string> companions;
    for (const auto& entry : fs::directory_iterator(files)) {
      companions[entry.path().filename().string()] = content_of(entry.path());
    }
    if (is_chat) {
      companions["chat_template.jinja"] =
          "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
          "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
    }
    rlhf::TransformerConfig config{.vocab_size = tokenizer.vocabulary().size() + more,
                                   .dim = 32,
                                   .hidden_dim = 48,
                                   .layers = 2,
                                   .heads = 4,
                                   .context_length = 64};
    if (!is_chat) {  // a GPT-2: no command knows of families
      config.norm = rlhf::NormKind::layer;
      config.activation = rlhf::Activation::gelu;
      config.positions = rlhf::Positions::learned;
      config.bias = rlhf::Bias::all;
    }
    rlhf::Generator generator(3);
    const rlhf::CausalLM model(config, generator);
    rlhf::model::save_hugging_face(folder_ / name, model, companions);
  }

  rlhf::test::TemporaryFolder folder_;
};

}  // namespace instructgpt
