/// Pairwise merging, the inner loop of every byte-pair encoding.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace rlhf::text {

/// What two neighbouring symbols become, and when: the lower rank goes first.
struct Merge {
  int32_t rank;
  int32_t result;
};

/// The merges of all pairs of symbols that have one.
class MergeTable {
 public:
  /// False if the pair has one already.
  bool add(int32_t left, int32_t right, Merge merge) {
    return merges_.emplace(key(left, right), merge).second;
  }
  std::optional<Merge> find(int32_t left, int32_t right) const {
    const auto place = merges_.find(key(left, right));
    return place == merges_.end() ? std::nullopt : std::optional(place->second);
  }

 private:
  static uint64_t key(int32_t left, int32_t right) {
    return (static_cast<uint64_t>(left) << 32) | static_cast<uint32_t>(right);
  }
  std::unordered_map<uint64_t, Merge> merges_;
};

/// Merges the pair of lowest rank, the leftmost of equals, until none is left.
/// O(n log n).
inline std::vector<int32_t> merge_pairs(const std::vector<int32_t>& symbols,
                                        const MergeTable& merges) {
  struct Node {
    int32_t symbol, previous, next;  // a merged-away node has symbol -1
  };
  struct Candidate {
    int32_t rank, at, left, right, result;
    // std::priority_queue pops the greatest.
    bool operator<(const Candidate& other) const {
      return std::tie(rank, at) > std::tie(other.rank, other.at);
    }
  };
  const auto count = static_cast<int32_t>(symbols.size());
  std::vector<Node> nodes(symbols.size());
  const auto node = [&](int32_t at) -> Node& { return nodes[static_cast<size_t>(at)]; };
  for (int32_t at = 0; at < count; ++at) {
    node(at) = {symbols[static_cast<size_t>(at)], at - 1, at + 1 < count ? at + 1 : -1};
  }

  std::vector<Candidate> storage;
  storage.reserve(symbols.size());
  std::priority_queue<Candidate> candidates({}, std::move(storage));
  const auto propose = [&](int32_t at) {
    if (at < 0 || node(at).next < 0) return;
    const int32_t left = node(at).symbol, right = node(node(at).next).symbol;
    if (const std::optional<Merge> merge = merges.find(left, right)) {
      candidates.push({merge->rank, at, left, right, merge->result});
    }
  };
  for (int32_t at = 0; at + 1 < count; ++at) propose(at);

  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    Node& left = node(best.at);
    if (left.symbol != best.left || left.next < 0) continue;
    Node& right = node(left.next);
    if (right.symbol != best.right) continue;
    left.symbol = best.result;
    right.symbol = -1;
    left.next = right.next;
    if (left.next >= 0) node(left.next).previous = best.at;
    propose(left.previous);
    propose(best.at);
  }

  std::vector<int32_t> merged;
  for (int32_t at = 0; at >= 0 && at < count; at = node(at).next) merged.push_back(node(at).symbol);
  return merged;
}

}  // namespace rlhf::text
