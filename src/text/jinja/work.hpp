/// How much a template may do, and where in it we are: templates are files of strangers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rlhf::text::jinja {

inline constexpr int deepest_value = 150;       // lists in lists
inline constexpr int deepest_syntax = 200;      // expressions in expressions, blocks in blocks
inline constexpr int deepest_evaluation = 600;  // the same through calls of macros
inline constexpr size_t largest_source = size_t{1} << 20;

/// Of one rendering, and of one parse.
class Work {
 public:
  Work(int64_t steps, size_t output_bytes) : steps_(steps), output_bytes_(output_bytes) {}

  /// Counts something done or made, a step for each element or 16 bytes of text.
  /// @throws Error where it is too much
  void charge(size_t steps) {
    if (steps >= static_cast<size_t>(steps_)) exhausted();
    steps_ -= static_cast<int64_t>(steps);
  }
  void charge_text(size_t bytes) { charge(1 + bytes / 16); }
  void require_output(size_t bytes) const;

  /// Throws Error "chat template, line <line>: <message>".
  [[noreturn]] void refuse(std::string_view message) const;

  int line = 1;   ///< of the template, for messages
  int depth = 0;  ///< of the evaluation

 private:
  [[noreturn]] void exhausted() const;

  int64_t steps_;
  size_t output_bytes_;
};

/// One more level of evaluation while it lives.
class Deeper {
 public:
  explicit Deeper(Work& work) : work_(work) {
    if (++work_.depth > deepest_evaluation) {
      --work_.depth;
      work_.refuse("calls and expressions nested too deep");
    }
  }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;
  ~Deeper() { --work_.depth; }

 private:
  Work& work_;
};

}  // namespace rlhf::text::jinja
