#include "common/program.hpp"

#include <exception>
#include <iostream>
#include <memory>

#include "common/json_config.hpp"

namespace instructgpt {

Program::Program(std::string name, std::string description)
    : name_(std::move(name)), app_(std::move(description), name_) {
  app_.config_formatter(std::make_shared<JsonConfig>(app_));
  app_.set_config("--config", "",
                  "JSON file of these options, {\"option\": value, ...}; flags come before it")
      ->configurable(false);
  app_.get_formatter()->column_width(34);
}

int Program::run(int argc, char** argv, const std::function<void()>& job) try {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app_.exit(error) == 0 ? 0 : 1;
  }
  std::cout << name_ << " " << configuration() << std::flush;
  job();
  return 0;
} catch (const std::exception& error) {
  std::cerr << name_ << ": " << error.what() << "\n";
  return 1;
}

}  // namespace instructgpt
