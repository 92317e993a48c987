// Values as text: str(), repr() and json.dumps() of Python.
#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "../characters.hpp"
#include "value.hpp"

namespace rlhf::text::jinja {
namespace {

/// The fewest digits that read back as the same number, written as Python writes them.
std::string shown_float(double value, bool json) {
  if (std::isnan(value)) return json ? "NaN" : "nan";
  if (std::isinf(value)) return std::string(value < 0 ? "-" : "") + (json ? "Infinity" : "inf");
  std::array<char, 64> buffer = {};
  const auto format = [&](std::chars_format style) {
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, style);
    return std::string(buffer.data(), end.ptr);
  };
  const std::string scientific = format(std::chars_format::scientific);
  const int exponent = std::stoi(scientific.substr(scientific.find('e') + 1));
  if (value != 0 && (exponent < -4 || exponent >= 16)) return scientific;
  const std::string fixed = format(std::chars_format::fixed);
  return fixed.find('.') == fixed.npos ? fixed + ".0" : fixed;
}

bool is_printable_in_python(char32_t point) {
  if (point == ' ') return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(point))) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS:
      return false;
    default:
      return true;
  }
}

void append_represented_text(std::string_view text, std::string& out) {
  const bool has_single = text.find('\'') != text.npos, has_double = text.find('"') != text.npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  out += quote;
  while (!text.empty()) {
    const std::string_view character = first_character(text);
    text.remove_prefix(character.size());
    const auto point = static_cast<uint32_t>(code_point(character));
    if (character.front() == quote || point == '\\') {
      out += '\\';
      out += character;
    } else if (point == '\n' || point == '\r' || point == '\t') {
      out += point == '\n' ? "\\n" : point == '\r' ? "\\r" : "\\t";
    } else if (is_printable_in_python(point)) {
      out += character;
    } else if (point < 0x100) {
      out += fmt::format("\\x{:02x}", point);
    } else if (point < 0x10000) {
      out += fmt::format("\\u{:04x}", point);
    } else {
      out += fmt::format("\\U{:08x}", point);
    }
  }
  out += quote;
}

void append_represented(Work& work, const Value& value, std::string& out) {
  work.charge(1);
  if (const std::string* text = value.text()) {
    work.charge_text(text->size());
    append_represented_text(*text, out);
  } else if (const Sequence* sequence = value.sequence()) {
    out += sequence->is_tuple ? '(' : '[';
    for (size_t i = 0; i < sequence->items.size(); ++i) {
      if (i > 0) out += ", ";
      append_represented(work, sequence->items[i], out);
    }
    if (sequence->is_tuple && sequence->items.size() == 1) out += ',';
    out += sequence->is_tuple ? ')' : ']';
  } else if (const Mapping* mapping = value.mapping()) {
    out += '{';
    for (size_t i = 0; i < mapping->entries.size(); ++i) {
      if (i > 0) out += ", ";
      append_represented_text(mapping->entries[i].first, out);
      out += ": ";
      append_represented(work, mapping->entries[i].second, out);
    }
    out += '}';
  } else if (value.is_undefined()) {
    out += "Undefined";
  } else {
    out += shown(work, value);
  }
  work.require_output(out.size());
}

class JsonWriter {
 public:
  JsonWriter(Work& work, const JsonStyle& style) : work_(work), style_(style) {}

  void write(const Value& value, int level) {
    work_.charge(1);
    if (const std::string* text = value.text()) {
      write_text(*text);
    } else if (const Sequence* sequence = value.sequence()) {
      write_parts(sequence->items, "[]", level, [&](const Value& item) { write(item, level + 1); });
    } else if (const Mapping* mapping = value.mapping()) {
      auto entries = mapping->entries;
      if (style_.sort_keys) {
        std::stable_sort(entries.begin(), entries.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
      }
      write_parts(entries, "{}", level, [&](const auto& entry) {
        write_text(entry.first);
        written += style_.key_separator;
        write(entry.second, level + 1);
      });
    } else if (const bool* boolean = value.get_if<bool>()) {
      written += *boolean ? "true" : "false";
    } else if (value.is<None>()) {
      written += "null";
    } else if (const double* real = value.get_if<double>()) {
      written += shown_float(*real, true);
    } else if (value.is<int64_t>()) {
      written += shown(work_, value);
    } else {
      work_.refuse(fmt::format("tojson: {} is no JSON", type_name(value)));
    }
    work_.require_output(written.size());
  }

  std::string written;

 private:
  template <class Parts, class Write>
  void write_parts(const Parts& parts, std::string_view brackets, int level, Write&& one) {
    written += brackets[0];
    bool first = true;
    for (const auto& part : parts) {
      if (!first) written += style_.item_separator;
      first = false;
      new_line(level + 1);
      one(part);
    }
    if (!first) new_line(level);
    written += brackets[1];
  }

  void new_line(int level) {
    if (!style_.indent) return;
    work_.charge_text(style_.indent->size() * static_cast<size_t>(level));
    written += '\n';
    for (int i = 0; i < level; ++i) written += *style_.indent;
  }

  void write_text(std::string_view text) {
    work_.charge_text(text.size());
    written += '"';
    while (!text.empty()) {
      const std::string_view character = first_character(text);
      text.remove_prefix(character.size());
      write_character(character, static_cast<uint32_t>(code_point(character)));
    }
    written += '"';
  }

  void write_character(std::string_view character, uint32_t point) {
    constexpr std::string_view plain = "\"\\\n\r\t\b\f", letters = "\"\\nrtbf";
    const size_t place = point < 0x80 ? plain.find(static_cast<char>(point)) : plain.npos;
    if (place != plain.npos) {
      written += '\\';
      written += letters[place];
    } else if (point < 0x20 || (style_.ensure_ascii && point >= 0x7F && point < 0x10000)) {
      written += fmt::format("\\u{:04x}", point);
    } else if (style_.ensure_ascii && point >= 0x10000) {
      written +=
          fmt::format("\\u{:04x}\\u{:04x}", 0xD7C0 + (point >> 10), 0xDC00 + (point & 0x3FF));
    } else {
      written += character;
    }
  }

  Work& work_;
  const JsonStyle& style_;
};

}  // namespace

std::string shown(Work& work, const Value& value) {
  if (const std::string* text = value.text()) {
    work.charge_text(text->size());
    return *text;
  }
  if (value.is_undefined()) return {};
  if (value.is<None>()) return "None";
  if (const bool* boolean = value.get_if<bool>()) return *boolean ? "True" : "False";
  if (const int64_t* whole = value.get_if<int64_t>()) return fmt::format("{}", *whole);
  if (const double* real = value.get_if<double>()) return shown_float(*real, false);
  if (value.sequence() != nullptr || value.mapping() != nullptr) return represented(work, value);
  work.refuse(fmt::format("a {} cannot be printed", type_name(value)));
}

std::string represented(Work& work, const Value& value) {
  std::string out;
  append_represented(work, value, out);
  return out;
}

std::string to_json(Work& work, const Value& value, const JsonStyle& style) {
  JsonWriter writer(work, style);
  writer.write(value, 0);
  return std::move(writer.written);
}

}  // namespace rlhf::text::jinja
