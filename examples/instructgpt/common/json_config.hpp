/// CLI11's configuration files as JSON: {"option": value, ...}, without the dashes.
#pragma once

#include <CLI/CLI.hpp>

namespace instructgpt {

class JsonConfig : public CLI::Config {
 public:
  /// For the options of `app`, which must outlive this.
  explicit JsonConfig(const CLI::App& app) : options_(&app) {}

  /// All options, in the order they were added; null for those that have no value.
  std::string to_config(const CLI::App* app, bool, bool, std::string) const override;
  /// @throws rlhf::Error if it is no JSON object, or names something that is no option or has no
  ///         single value; null is as if the option were not there
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;

 private:
  const CLI::App* options_;
};

}  // namespace instructgpt
