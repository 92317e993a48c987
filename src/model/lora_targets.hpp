/// Which modules the targets of LoraOptions select. No LibTorch is read.
#pragma once

#include <string>
#include <vector>

#include "../text/pattern.hpp"

namespace rlhf::model {

/// Targets come from files of strangers: however they are made, they take neither the stack nor the
/// time that std::regex would let them have.
class LoraTargets {
 public:
  /// @throws Error if there are too many, or one is too long or no regular expression
  explicit LoraTargets(const std::vector<std::string>& patterns);

  /// Whether one of the patterns is all of the module's name, or of the last part of it.
  /// @throws Error if that takes a pattern too long
  bool select(const std::string& module);

  /// @param modules  of which each pattern must have selected one
  void require_used(const std::string& modules) const;

 private:
  struct Target {
    std::string shown;
    text::Pattern pattern;
    bool used = false;
  };
  std::vector<Target> targets_;
};

}  // namespace rlhf::model
