#include "speaker.hpp"

#include <algorithm>
#include <utility>

#include "rlhf/io/utf8.hpp"

namespace {

void require_fits(const rlhf::CausalLM& model, const rlhf::ByteLevelBpe& tokenizer,
                  const std::filesystem::path& path) {
  rlhf::require(tokenizer.vocabulary().size() <= model.vocab_size(), path.string() + ": tokenizer",
                "at most the model's " + std::to_string(model.vocab_size()) + " tokens",
                tokenizer.vocabulary().size());
}

/// Whole characters, taken from the front of `pending`: U+FFFD for a byte that is part of none.
/// What may be the beginning of a character stays, unless nothing follows.
std::string take_characters(std::string& pending, bool last) {
  std::string text;
  while (!pending.empty()) {
    const size_t length = rlhf::io::utf8_length(pending);
    const auto first = static_cast<unsigned char>(pending.front());
    const size_t wanted = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1;
    if (length == 0 && pending.size() < wanted && !last) break;
    text += length > 0 ? pending.substr(0, length) : "\uFFFD";
    pending.erase(0, std::max<size_t>(length, 1));
  }
  return text;
}

}  // namespace

Speaker Speaker::load(const std::filesystem::path& path) {
  const bool is_gguf = path.extension() == ".gguf";
  if (is_gguf) {
    const rlhf::io::GgufFile file(path);
    const auto stored = rlhf::io::read_gguf_tokenizer(file.metadata());
    Speaker speaker{rlhf::model::load_gguf(file), rlhf::gguf_tokenizer(stored),
                    rlhf::gguf_chat_template(stored)};
    require_fits(speaker.model, speaker.tokenizer, path);
    return speaker;
  }
  Speaker speaker{rlhf::model::load_hugging_face(path), rlhf::ByteLevelBpe::load(path),
                  rlhf::ChatTemplate::load(path)};
  require_fits(speaker.model, speaker.tokenizer, path);
  return speaker;
}

Conversation::Conversation(const Speaker& speaker, const rlhf::SamplingOptions& sampling,
                           uint64_t seed, const std::string& system)
    : speaker_(speaker), sampling_(sampling), seed_(seed) {
  if (!system.empty()) messages_.push_back({.role = "system", .content = system});
  opening_ = messages_.size();
  sampling_.end_tokens = speaker.tokenizer.end_tokens();
  sampling_.validate();
}

rlhf::Tensor Conversation::read(const std::vector<int64_t>& tokens) {
  // A template may write an earlier turn otherwise than it was said; then all is read again.
  const bool goes_on = cache_ && known_.size() < tokens.size() &&
                       std::equal(known_.begin(), known_.end(), tokens.begin());
  if (!goes_on) {
    cache_ = speaker_.model.begin(rlhf::completions_from({tokens}), sampling_.max_response_tokens);
    known_.assign(tokens.begin(), tokens.end() - 1);
  }
  rlhf::Tensor logits;
  for (size_t i = known_.size(); i < tokens.size(); ++i) {
    logits = speaker_.model.step(*cache_, torch::tensor({tokens[i]}));
  }
  known_ = tokens;
  return logits;
}

bool Conversation::answer(const std::string& text,
                          const std::function<void(std::string_view)>& say) {
  messages_.push_back({.role = "user", .content = text});
  std::vector<int64_t> tokens =
      speaker_.tokenizer.encode(speaker_.chat.render(messages_, {.add_generation_prompt = true}));
  rlhf::RandomStream stream(seed_, turn_++, 0);
  std::string said, pending;
  bool ended = false;
  for (int64_t count = 0; count < sampling_.max_response_tokens && !ended; ++count) {
    const rlhf::rollout::Draw drawn =
        rlhf::rollout::draw(read(tokens), {stream.uniform()}, sampling_);
    tokens.push_back(drawn.tokens.item<int64_t>());
    ended = std::ranges::find(sampling_.end_tokens, tokens.back()) != sampling_.end_tokens.end();
    pending += speaker_.tokenizer.decode(std::span(tokens).last(1), rlhf::SpecialTokens::drop);
    const bool last = ended || count + 1 == sampling_.max_response_tokens;
    const std::string piece = take_characters(pending, last);
    say(piece);
    said += piece;
  }
  messages_.push_back({.role = "assistant", .content = said});
  return ended;
}

void Conversation::clear() {
  messages_.resize(opening_);
  cache_.reset();
  known_.clear();
}
