#include "escape.hpp"

#include <nlohmann/json.hpp>

#include "rlhf/io/utf8.hpp"

namespace rlhf::report {
namespace {

bool is_control(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F;
}

/// Valid UTF-8 without control characters.
std::string cleaned(std::string_view text) {
  constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const size_t length = io::utf8_length(text);
    clean += length == 0 || is_control(text[0]) ? replacement : text.substr(0, length);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return clean;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : cleaned(text)) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

std::string json_string(std::string_view text) {
  std::string json;
  for (const char c : nlohmann::json(cleaned(text)).dump()) {
    // "</script>" and "<!--" would end or change the element.
    if (c == '<') {
      json += "\\u003c";
    } else {
      json += c;
    }
  }
  return json;
}

}  // namespace rlhf::report
