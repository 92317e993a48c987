/// A language model with its tokenizer and chat template, from a folder or a GGUF file, and one
/// conversation with it.
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "rlhf/rlhf.hpp"

/// What chatting needs of a model.
struct Speaker {
  rlhf::CausalLM model;
  rlhf::ByteLevelBpe tokenizer;
  rlhf::ChatTemplate chat;

  /// @param path    a folder of Hugging Face, or a file that ends in .gguf
  /// @throws rlhf::Error naming the file; also where the model lacks one of the tokenizer's tokens
  static Speaker load(const std::filesystem::path& path);
};

/// Keeps the model's memory of the conversation, so that a turn costs its own tokens alone.
class Conversation {
 public:
  /// @param speaker  borrowed
  Conversation(const Speaker& speaker, const rlhf::SamplingOptions& sampling, uint64_t seed,
               const std::string& system);

  /// The answer, given to `say` piece by piece as it grows, in whole characters.
  /// @return        whether the model ended it; else it ran into the longest response
  /// @throws Error  where the conversation has outgrown the model's context
  bool answer(const std::string& text, const std::function<void(std::string_view)>& say);
  void clear();

 private:
  /// Feeds what the model has not read yet; logits of what follows.
  rlhf::Tensor read(const std::vector<int64_t>& tokens);

  const Speaker& speaker_;
  rlhf::SamplingOptions sampling_;
  uint64_t seed_, turn_ = 0;
  std::vector<rlhf::Message> messages_;
  size_t opening_;              // messages before the first question
  std::vector<int64_t> known_;  // tokens that the cache has read
  std::optional<rlhf::KvCache> cache_;
};
