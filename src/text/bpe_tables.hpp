/// What a ByteLevelBpe looks things up in.
#pragma once

#include <mutex>
#include <shared_mutex>

#include "merge.hpp"
#include "pattern.hpp"
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
    const std::unique_lock lock(mutex_);
    if (pieces_.size() < most_pieces) pieces_.emplace(piece, ids);
  }

 private:
  static constexpr size_t most_pieces = size_t{1} << 16;
  static constexpr size_t longest_piece = 64;

  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, std::vector<int32_t>, StringHash, std::equal_to<>> pieces_;
};

}  // namespace text

struct ByteLevelBpe::Tables {
  Tables(std::vector<std::string> tokens, std::vector<AddedToken> added, std::string split_pattern);

  /// `where` says, for messages, which merge this is; it is called only then.
  template <class Where>
  void add_merge(std::string_view left, std::string_view right, Where&& where);
  /// No special token may come out of text. Called when all merges are in.
  void require_special_tokens_apart() const;

  void encode_piece(std::string_view piece, std::vector<int64_t>& ids);

  Vocabulary vocabulary;
  std::string split_pattern;
  text::Pattern pattern;
  std::array<int32_t, 256> byte_ids = {};
  std::vector<std::pair<int32_t, int32_t>> merges;  // the rank is the place
  text::MergeTable merge_of;
  text::PieceCache cache;
};

template <class Where>
void ByteLevelBpe::Tables::add_merge(std::string_view left, std::string_view right, Where&& where) {
  const auto known = [&](std::string_view token) {
    const auto id = vocabulary.find(token);
    if (!id) fail(where(), "tokens of the vocabulary", fmt::format("{:?}", token));
    return static_cast<int32_t>(*id);
  };
  const int32_t a = known(left), b = known(right);
  const text::Merge merge{static_cast<int32_t>(merges.size()),
                          known(std::string(left) + std::string(right))};
  if (!merge_of.add(a, b, merge)) {
    fail(where(), "a merge that stands once", fmt::format("a second {:?} and {:?}", left, right));
  }
  merges.emplace_back(a, b);
}

}  // namespace rlhf
