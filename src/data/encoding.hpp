// One row's prompt and response as tokens, and which of these count.
#pragma once

#include <string>
#include <vector>

#include "rlhf/data/tokenize.hpp"

namespace rlhf::data {

using Tokens = std::vector<int64_t>;

struct EncodedPair {
  Tokens prompt;
  Tokens response;
  std::vector<bool> counted;  ///< one a response token
};

/// Encodes rows and keeps them within the limit. `extra` is the row's, `where` begins each message.
class Encoding {
 public:
  /// Borrows both. @throws Error from options.validate()
  Encoding(const detail::Encoder& encoder, const TokenizeOptions& options)
      : encoder_(encoder), options_(options) {
    options.validate();
  }

  EncodedPair pair(const std::optional<Content>& prompt, const Content& completion,
                   const nlohmann::ordered_json& extra, const std::string& where) const;
  /// With an empty response.
  EncodedPair prompt(const Content& prompt, const nlohmann::ordered_json& extra,
                     const std::string& where) const;

  /// Whether the row stays; its response may come back shorter.
  bool keep(EncodedPair& pair, const std::string& where) const;

 private:
  Tokens text_prompt(const std::string& text, const std::string& where) const;
  EncodedPair text_pair(const std::optional<Content>& prompt, const std::string& completion,
                        const std::string& where) const;
  EncodedPair chat_pair(const Conversation* prompt, const Conversation& completion,
                        const nlohmann::ordered_json& extra, const std::string& where) const;
  const ChatTemplate& chat(const std::string& where) const;
  ChatOptions chat_options(const nlohmann::ordered_json& extra, const std::string& where) const;

  const detail::Encoder& encoder_;
  const TokenizeOptions& options_;
};

}  // namespace rlhf::data
