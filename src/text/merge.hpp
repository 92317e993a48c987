/// Pairwise merging, the inner loop of every byte-pair encoding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <queue>
#include <tuple>
#include <utility>
#include <vector>

namespace rlhf::text {

/// What two neighbouring symbols become, and when: the lower rank goes first.
struct Merge {
  int32_t rank;
  int32_t result;
};

/// The merges of all pairs of symbols that have one. A hash table with open addressing: it is asked
/// for every pair of neighbours in a text.
class MergeTable {
 public:
  /// False if the pair has one already.
  bool add(int32_t left, int32_t right, Merge merge) {
    if ((count_ + 1) * 2 > slots_.size()) grow();
    Slot& slot = slots_[place_of(key(left, right))];
    if (slot.key != no_key) return false;
    slot = {key(left, right), merge};
    ++count_;
    return true;
  }
  std::optional<Merge> find(int32_t left, int32_t right) const {
    if (slots_.empty()) return std::nullopt;
    const Slot& slot = slots_[place_of(key(left, right))];
    return slot.key == no_key ? std::nullopt : std::optional(slot.merge);
  }

 private:
  static constexpr uint64_t no_key = ~uint64_t{0};  // symbols are not negative
  struct Slot {
    uint64_t key = no_key;
    Merge merge = {};
  };

  static uint64_t key(int32_t left, int32_t right) {
    return (static_cast<uint64_t>(left) << 32) | static_cast<uint32_t>(right);
  }

  /// Where the key stands, or would: at most half of the slots are taken.
  size_t place_of(uint64_t key) const {
    const size_t mask = slots_.size() - 1;
    uint64_t mixed = key * 0x9E3779B97F4A7C15U;
    mixed ^= mixed >> 32;
    size_t place = mixed & mask;
    while (slots_[place].key != key && slots_[place].key != no_key) place = (place + 1) & mask;
    return place;
  }

  void grow() {
    std::vector<Slot> old = std::exchange(slots_, {});
    slots_.resize(old.empty() ? 64 : 2 * old.size());
    for (const Slot& slot : old) {
      if (slot.key != no_key) slots_[place_of(slot.key)] = slot;
    }
  }

  std::vector<Slot> slots_;  // a power of two
  size_t count_ = 0;
};

/// The same as merge_pairs by looking at all ranks again for every merge: quicker than a heap where
/// there are few.
inline std::vector<int32_t> merge_few_pairs(std::vector<int32_t> symbols,
                                            const MergeTable& merges) {
  constexpr Merge none{std::numeric_limits<int32_t>::max(), -1};
  std::vector<Merge> found;  // of each symbol and its right neighbour
  const auto look = [&](size_t at) {
    return at + 1 < symbols.size() ? merges.find(symbols[at], symbols[at + 1]).value_or(none)
                                   : none;
  };
  for (size_t at = 0; at < symbols.size(); ++at) found.push_back(look(at));
  while (symbols.size() > 1) {
    const auto best = std::min_element(found.begin(), found.end(), [](Merge a, Merge b) {
      return a.rank < b.rank;  // of equals the first
    });
    if (best->result < 0) break;
    const auto at = static_cast<size_t>(best - found.begin());
    symbols[at] = best->result;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    found.erase(best);
    found[at] = look(at);
    if (at > 0) found[at - 1] = look(at - 1);
  }
  return symbols;
}

/// Merges the pair of lowest rank, the leftmost of equals, until none is left.
/// O(n log n).
inline std::vector<int32_t> merge_pairs(const std::vector<int32_t>& symbols,
                                        const MergeTable& merges) {
  constexpr size_t few = 48;
  if (symbols.size() <= few) return merge_few_pairs(symbols, merges);
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
