/// What stands beside the weights in a model's folder, and how it goes along to the next one.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/options.hpp"
#include "rlhf/model/hugging_face.hpp"
#include "rlhf/text/byte_level_bpe.hpp"
#include "rlhf/text/chat_template.hpp"

namespace instructgpt {

class ModelFolder {
 public:
  /// @param chat_template  a file that takes the place of the folder's template; empty: none
  /// @throws rlhf::Error naming file and field
  explicit ModelFolder(std::filesystem::path folder,
                       const std::filesystem::path& chat_template = {});

  const rlhf::ByteLevelBpe& tokenizer() const { return tokenizer_; }
  const std::filesystem::path& path() const { return folder_; }

  /// What rows need: the token that begins a text, and the chat template where there is one.
  rlhf::data::TokenizeOptions tokenize_options() const;
  /// A text as a person reads it. Ids beyond the tokenizer's, which padded models have, are left
  /// out.
  std::string text_of(std::vector<int64_t> ids) const;

  /// @throws rlhf::Error if the model has no place for all of the tokenizer's tokens
  void require_fits(int64_t vocab_size) const;
  /// @throws rlhf::Error naming the first token that the two do not share
  void require_same_tokenizer(const ModelFolder& other) const;

  /// The model into `out`, with tokenizer and chat template, config.json last: a folder without it
  /// is no model. Other files of `out` stay. Adapters are added to the weights; a language model's
  /// stand by themselves in adapter/, too.
  void save(const std::filesystem::path& out, const rlhf::CausalLM& model) const;
  void save(const std::filesystem::path& out, const rlhf::ScalarModel& model) const;

 private:
  using Write = std::function<void(const std::filesystem::path&)>;
  void save(const std::filesystem::path& out, const Write& write) const;
  void complete_config(const std::filesystem::path& file) const;

  std::filesystem::path folder_;
  rlhf::ByteLevelBpe tokenizer_;
  std::optional<rlhf::ChatTemplate> chat_;
  std::map<std::string, std::string> files_;  ///< what is copied, by name
};

}  // namespace instructgpt
