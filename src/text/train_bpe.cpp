#include "rlhf/text/train_bpe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <queue>
#include <tuple>
#include <unordered_map>

#include "byte_alphabet.hpp"
#include "pre_tokenizer.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf {

void BpeTrainOptions::validate() const {
  require(merge_count >= 0, "BpeTrainOptions::merge_count", ">= 0", merge_count);
  require(min_count >= 1, "BpeTrainOptions::min_count", ">= 1", min_count);
}

namespace text {
namespace {

using Pair = std::pair<int32_t, int32_t>;

struct Word {
  std::vector<int32_t> symbols;
  int64_t count;
};

struct Candidate {
  int64_t count;
  Pair pair;
  // std::priority_queue pops the greatest: the most frequent pair, of equals the lowest ids.
  bool operator<(const Candidate& other) const {
    return std::tie(count, other.pair) < std::tie(other.count, pair);
  }
};

/// The words of the corpus as they stand after the merges so far, and the counts of their pairs.
class Learner {
 public:
  explicit Learner(const std::map<std::string, int64_t>& pieces) {
    std::array<int32_t, 256> byte_ids = {};
    for (uint8_t byte : bytes_in_order()) {
      byte_ids[byte] = id_of(std::string(1, static_cast<char>(byte)));
    }
    for (const auto& [piece, count] : pieces) {
      Word word{.symbols = {}, .count = count};
      for (char byte : piece) word.symbols.push_back(byte_ids[static_cast<uint8_t>(byte)]);
      words_.push_back(std::move(word));
      count_pairs(words_.size() - 1, any_symbol);
    }
    propose_changed();
  }

  /// Merges the most frequent pair; false where none occurs `min_count` times.
  bool merge_one(int64_t min_count) {
    while (!candidates_.empty()) {
      const Candidate best = candidates_.top();
      candidates_.pop();
      const int64_t count = counts_[best.pair];
      if (count != best.count) {
        // Merging only lowers the counts of older pairs: this one has waited at an old count.
        if (count > 0) candidates_.push({count, best.pair});
        continue;
      }
      if (count < min_count) return false;
      apply(best.pair);
      return true;
    }
    return false;
  }

  std::vector<std::string> tokens() const { return tokens_; }
  const std::vector<std::pair<std::string, std::string>>& merges() const { return merges_; }

 private:
  static constexpr int32_t any_symbol = -1;

  int32_t id_of(const std::string& token) {
    const auto [place, is_new] = ids_.emplace(token, static_cast<int32_t>(tokens_.size()));
    if (is_new) tokens_.push_back(token);
    return place->second;
  }

  /// Of pairs without `fresh`, where they stand and how often at most is known already.
  void count_pairs(size_t word, int32_t fresh) {
    const auto& [symbols, count] = words_[word];
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const Pair pair{symbols[i], symbols[i + 1]};
      counts_[pair] += count;
      if (fresh != any_symbol && pair.first != fresh && pair.second != fresh) continue;
      changed_.push_back(pair);
      auto& places = words_with_[pair];
      if (places.empty() || places.back() != word) places.push_back(word);
    }
  }

  void uncount_pairs(size_t word) {
    const auto& [symbols, count] = words_[word];
    for (size_t i = 0; i + 1 < symbols.size(); ++i) counts_[{symbols[i], symbols[i + 1]}] -= count;
  }

  void propose_changed() {
    std::sort(changed_.begin(), changed_.end());
    changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
    for (const Pair& pair : changed_) candidates_.push({counts_[pair], pair});
    changed_.clear();
  }

  void apply(const Pair& pair) {
    const auto at = [&](int32_t id) { return tokens_[static_cast<size_t>(id)]; };
    merges_.emplace_back(at(pair.first), at(pair.second));
    const int32_t merged = id_of(at(pair.first) + at(pair.second));
    for (size_t word : std::exchange(words_with_[pair], {})) {
      uncount_pairs(word);
      merge_within(words_[word].symbols, pair, merged);
      count_pairs(word, merged);
    }
    propose_changed();
  }

  static void merge_within(std::vector<int32_t>& symbols, const Pair& pair, int32_t merged) {
    size_t kept = 0;
    for (size_t i = 0; i < symbols.size(); ++i) {
      const bool here = i + 1 < symbols.size() && Pair{symbols[i], symbols[i + 1]} == pair;
      symbols[kept++] = here ? merged : symbols[i];
      if (here) ++i;
    }
    symbols.resize(kept);
  }

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
  std::vector<std::pair<std::string, std::string>> merges_;
  std::vector<Word> words_;
  std::map<Pair, int64_t> counts_;
  std::map<Pair, std::vector<size_t>> words_with_;  // and words that had it once
  std::vector<Pair> changed_;
  std::priority_queue<Candidate> candidates_;
};

std::map<std::string, int64_t> count_pieces(std::span<const std::string> texts,
                                            const BpeTrainOptions& options) {
  const Vocabulary added({}, options.added);
  const PreTokenizer splitter(options.splits);
  std::map<std::string, int64_t> pieces;
  const auto count = [&](std::string_view piece) { ++pieces[std::string(piece)]; };
  for (const std::string& text : texts) {
    for (const Segment& segment : added.segments(text, SpecialText::read)) {
      if (segment.id) continue;
      split_invalid(
          segment.text, [&](std::string_view valid) { splitter.cut(valid, count); }, count);
    }
  }
  return pieces;
}

}  // namespace

ByteLevelBpe train_bpe(std::span<const std::string> texts, const BpeTrainOptions& options) {
  options.validate();
  require(!texts.empty(), "texts to train a BPE on", ">= 1", texts.size());
  Learner learner(count_pieces(texts, options));
  for (int64_t merge = 0; merge < options.merge_count; ++merge) {
    if (!learner.merge_one(options.min_count)) break;
  }
  return ByteLevelBpe({.tokens = learner.tokens(),
                       .merges = learner.merges(),
                       .added = options.added,
                       .rules = {.splits = options.splits}});
}

}  // namespace text
}  // namespace rlhf
