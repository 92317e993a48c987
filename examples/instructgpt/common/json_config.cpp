#include "common/json_config.hpp"

#include <fmt/format.h>

#include <iterator>

#include "rlhf/core/error.hpp"
#include "rlhf/io/json.hpp"

namespace instructgpt {
namespace {

using nlohmann::ordered_json;

constexpr const char* place = "--config";

/// A number or truth value where the text is how JSON writes one, else text.
ordered_json value_of(const std::string& text) {
  const auto parsed = ordered_json::parse(text, nullptr, false);
  const bool plain = (parsed.is_number() || parsed.is_boolean()) && parsed.dump() == text;
  return plain ? parsed : ordered_json(text);
}

std::string text_of(const ordered_json& value, const std::string& where) {
  rlhf::require(value.is_string() || value.is_number() || value.is_boolean(), where,
                "text, a number, true or false", value.type_name());
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool takes_several(const CLI::Option& option) {
  return option.get_items_expected_max() > 1;
}

}  // namespace

std::string JsonConfig::to_config(const CLI::App* app, bool, bool, std::string) const {
  ordered_json all = ordered_json::object();
  for (const CLI::Option* option : app->get_options({})) {
    if (!option->get_configurable() || option->get_lnames().empty()) continue;
    ordered_json& value = all[option->get_lnames().front()];
    if (takes_several(*option)) value = ordered_json::array();
    for (const std::string& text : option->results()) {
      if (takes_several(*option)) {
        value.push_back(value_of(text));
      } else {
        value = value_of(text);
      }
    }
    if (value.is_null() && !option->get_default_str().empty()) {
      value = value_of(option->get_default_str());
    }
  }
  return all.dump(2) + "\n";
}

std::vector<CLI::ConfigItem> JsonConfig::from_config(std::istream& input) const {
  const std::string text(std::istreambuf_iterator<char>(input), {});
  const ordered_json all = rlhf::io::parse_ordered_json(text, place);
  rlhf::require(all.is_object(), place, "an object of options", all.type_name());
  std::vector<CLI::ConfigItem> items;
  for (const auto& [name, value] : all.items()) {
    const std::string where = fmt::format("{}: {}", place, rlhf::io::quote(name));
    const CLI::Option* option = options_->get_option_no_throw("--" + name);
    rlhf::require(option != nullptr && option->get_configurable(), where,
                  "an option of this program (see --help)", "none of this name");
    if (value.is_null()) continue;
    CLI::ConfigItem item;
    item.name = name;
    if (takes_several(*option)) {
      rlhf::require(value.is_array(), where, "an array", value.type_name());
      for (const auto& each : value) item.inputs.push_back(text_of(each, where));
      if (value.empty()) continue;
    } else {
      item.inputs.push_back(text_of(value, where));
    }
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace instructgpt
