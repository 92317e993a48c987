/// Learns the merges of a byte-level BPE from text.
#pragma once

#include "rlhf/text/byte_level_bpe.hpp"

namespace rlhf {

struct BpeTrainOptions {
  int64_t merge_count = 500;  ///< at most; fewer where no pair is left that is frequent enough
  int64_t min_count = 2;      ///< a pair that occurs less often is not merged
  std::vector<AddedToken> added = default_added_tokens();
  std::vector<SplitRule> splits = gpt2_splits();

  void validate() const;
};

namespace text {

/// Merges, again and again, the most frequent pair of neighbouring tokens. Of equally frequent
/// pairs the one whose tokens have the lower ids wins, so the same texts, in any order, give the
/// same tokenizer. Ids: the 256 bytes in GPT-2's order, then the merges, then the added tokens.
/// Added tokens are cut out of the texts first; nothing is learnt from them.
/// @throws Error if there are no texts, or as ByteLevelBpe
/// Source: Sennrich et al. 2016, arXiv 1508.07909, algorithm 1.
ByteLevelBpe train_bpe(std::span<const std::string> texts, const BpeTrainOptions& options = {});

}  // namespace text
}  // namespace rlhf
