/// What a ByteLevelBpe looks things up in.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <shared_mutex>

#include "merge.hpp"
#include "pre_tokenizer.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/text/byte_level_bpe.hpp"

namespace rlhf {
namespace text {

/// Remembers what pieces were merged to, up to a bound.
class PieceCache {
 public:
  /// Appends the piece's ids to `ids`, or returns false.
  bool append(std::string_view piece, std::vector<int64_t>& ids) const {
    const std::shared_lock lock(mutex_);
    const auto place = pieces_.find(piece);
    if (place == pieces_.end()) return false;
    ids.insert(ids.end(), place->second.begin(), place->second.end());
    return true;
  }
  void store(std::string_view piece, const std::vector<int32_t>& ids) {
    if (piece.size() > longest_piece) return;
    if (full_.load(std::memory_order_relaxed)) return;
    const std::unique_lock lock(mutex_);
    pieces_.emplace(piece, ids);
    full_ = pieces_.size() >= most_pieces;
  }

 private:
  static constexpr size_t most_pieces = size_t{1} << 16;
  static constexpr size_t longest_piece = 64;

  std::atomic<bool> full_ = false;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, std::vector<int32_t>, StringHash, std::equal_to<>> pieces_;
};

}  // namespace text

struct ByteLevelBpe::Tables {
  explicit Tables(BpeRules rules) : rules(std::move(rules)), splitter(this->rules.splits) {}

  /// Tokens by their bytes. Not `vocabulary`, where an added token hides an ordinary one of the
  /// same bytes.
  using Ids = std::unordered_map<std::string, int32_t, text::StringHash, std::equal_to<>>;
  /// Says, for messages, which merge this is.
  using Where = std::function<std::string(size_t merge)>;

  /// To be called in this order, each once. The first gives what the second needs.
  Ids set_vocabulary(std::vector<std::string> tokens, std::vector<AddedToken> added);
  void set_merges(const std::vector<std::pair<std::string, std::string>>& pairs, Ids known,
                  const Where& where);

  void encode_segment(std::string_view text, SpecialText special, std::vector<int64_t>& ids);
  void encode_piece(std::string_view piece, std::vector<int64_t>& ids);
  std::vector<int32_t> merged(std::string_view piece) const;
  void append_byte(char byte, std::vector<int32_t>& symbols) const;

  BpeRules rules;
  text::PreTokenizer splitter;
  std::optional<Vocabulary> vocabulary;
  text::AddedTokens normalized;                     // added tokens as normalization leaves them
  std::array<int32_t, 256> byte_ids;                // -1: no token
  std::optional<int32_t> unknown;                   // what a byte without a token becomes
  std::vector<std::pair<int32_t, int32_t>> merges;  // the rank is the place
  text::MergeTable merge_of;
  Ids whole;  // pieces that are tokens as a whole; empty unless the rules ignore merges for them
  text::PieceCache cache;

 private:
  void find_bytes(const Ids& known);
  void require_special_tokens_apart() const;
  void require_marks() const;
  void add_normalized();
};

}  // namespace rlhf
