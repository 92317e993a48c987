/// A command: its options, their documentation, its configuration in JSON, and its exit code.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace instructgpt {

/// A titled part of --help. Every option says its default and where that is from.
class Group {
 public:
  Group(CLI::App& app, std::string title) : app_(&app), title_(std::move(title)) {}

  template <class T>
  CLI::Option* add(const std::string& flag, T& value, std::string_view help,
                   std::string_view source) {
    CLI::Option* option = app_->add_option(flag, value, described(help, source));
    return option->group(title_)->capture_default_str();
  }
  CLI::Option* flag(const std::string& flag, bool& value, std::string_view help,
                    std::string_view source) {
    return app_->add_flag(flag, value, described(help, source))
        ->group(title_)
        ->default_str("false");
  }
  /// One of the names.
  template <class E>
  CLI::Option* choice(const std::string& flag, E& value, std::map<std::string, E> names,
                      std::string_view help, std::string_view source) {
    std::string chosen;
    for (const auto& [name, each] : names) {
      if (each == value) chosen = name;
    }
    const auto choose = [&value, names](const std::string& name) { value = names.at(name); };
    return app_->add_option_function<std::string>(flag, choose, described(help, source))
        ->check(CLI::IsMember(names))
        ->group(title_)
        ->default_str(chosen);
  }

 private:
  static std::string described(std::string_view help, std::string_view source) {
    return std::string(help) + " [" + std::string(source) + "]";
  }

  CLI::App* app_;
  std::string title_;
};

class Program {
 public:
  Program(std::string name, std::string description);

  Group group(std::string title) { return {app_, std::move(title)}; }

  /// Reads flags and --config, prints what they come to, and does the job.
  /// @return what main returns: 0, or 1 after a message on the standard error
  int run(int argc, char** argv, const std::function<void()>& job);

  const std::string& name() const { return name_; }
  /// Every option and its value, as --config takes them.
  std::string configuration() const { return app_.config_to_str(true, false); }

 private:
  std::string name_;
  CLI::App app_;
};

}  // namespace instructgpt
