#include "lora_targets.hpp"

#include <fmt/format.h>

#include "rlhf/core/error.hpp"

namespace rlhf::model {
namespace {

constexpr size_t most_patterns = 4096;       // a name for each module of 500 layers
constexpr size_t longest_pattern = 1 << 16;  // all of those names in one pattern
constexpr const char* field = "LoraOptions::targets";

}  // namespace

LoraTargets::LoraTargets(const std::vector<std::string>& patterns) {
  require(patterns.size() <= most_patterns, field, "at most 4096 patterns", patterns.size());
  for (const std::string& pattern : patterns) {
    require(pattern.size() <= longest_pattern, field, "patterns of at most 65536 bytes",
            pattern.size());
    const std::string whole = "\\A(?:" + (pattern == "all-linear" ? ".*" : pattern) + ")\\z";
    try {
      text::Pattern(pattern, pattern);  // alone: brackets of its own could end those around it
      targets_.push_back({.shown = pattern, .pattern = text::Pattern(whole, pattern)});
    } catch (const Error& error) {
      fail(field, "regular expressions", error.what());
    }
  }
}

bool LoraTargets::select(const std::string& module) {
  const std::string last = module.substr(module.rfind('.') + 1);
  bool selected = false;
  for (Target& target : targets_) {
    if (!target.pattern.matches(module) && !target.pattern.matches(last)) continue;
    selected = target.used = true;
  }
  return selected;
}

void LoraTargets::require_used(const std::string& modules) const {
  for (const Target& target : targets_) {
    require(target.used, fmt::format("{}: \"{}\"", field, target.shown),
            "a pattern that selects some of " + modules, "none");
  }
}

}  // namespace rlhf::model
