#include "rlhf/text/bpe_table.hpp"

#include <fmt/format.h>

#include "byte_alphabet.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf {
namespace {

BpeRules rules_of(BpeFamily family) {
  BpeRules rules{.missing_byte = MissingByte::drop};
  switch (family) {
    case BpeFamily::gpt2:
      return rules;
    case BpeFamily::smollm:
      rules.splits = smollm_splits();
      return rules;
    case BpeFamily::llama3:
      rules.splits = llama3_splits();
      rules.ignore_merges = true;
      return rules;
    case BpeFamily::qwen2:
      rules.splits = qwen2_splits();
      rules.normalization = Normalization::nfc;
      return rules;
  }
  fail("BpeTable::family", "gpt2, smollm, llama3 or qwen2",
       fmt::format("{}", static_cast<int>(family)));
}

}  // namespace

ByteLevelBpe byte_level_bpe(const BpeTable& table) {
  BpeParts parts{
      .tokens = table.tokens, .merges = {}, .added = {}, .rules = rules_of(table.family)};
  parts.rules.marks = table.marks;
  std::vector<bool> is_added(table.tokens.size());
  for (const auto& [id, kind] : table.added) {
    require(id >= 0 && static_cast<size_t>(id) < table.tokens.size(), "BpeTable::added: id",
            fmt::format(">= 0 and < {}", table.tokens.size()), id);
    const auto place = static_cast<size_t>(id);
    parts.added.push_back({.content = table.tokens[place], .kind = kind, .id = id});
    is_added[place] = true;
  }
  for (size_t id = 0; id < parts.tokens.size(); ++id) {
    if (!is_added[id]) parts.tokens[id] = text::bytes_of_token(parts.tokens[id]);
  }
  for (size_t merge = 0; merge < table.merges.size(); ++merge) {
    const std::string_view line = table.merges[merge];
    const size_t space = line.find(' ');
    if (space == line.npos || space == 0 || space + 1 == line.size()) {
      fail(fmt::format("BpeTable::merges[{}]", merge), "two tokens with a space between",
           fmt::format("{:?}", line));
    }
    parts.merges.emplace_back(text::bytes_of_token(line.substr(0, space)),
                              text::bytes_of_token(line.substr(space + 1)));
  }
  return ByteLevelBpe(std::move(parts));
}

}  // namespace rlhf
