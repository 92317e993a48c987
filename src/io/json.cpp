#include "rlhf/io/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf::io {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr size_t longest_message = 300;  // the parser quotes the text it stumbled over

/// Walks over the text and leaves word how far the parser has read: its events do not tell.
class Cursor {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Cursor(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
  reference operator*() const { return *at_; }
  Cursor& operator++() {
    *furthest_ = ++at_;
    return *this;
  }
  bool operator==(const Cursor& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** furthest_;
};

/// Builds the value event by event; the first thing that may not be ends the parse.
template <class Json>
class Builder final : public nlohmann::json_sax<Json> {
 public:
  using typename nlohmann::json_sax<Json>::binary_t;
  using typename nlohmann::json_sax<Json>::number_float_t;
  using typename nlohmann::json_sax<Json>::number_integer_t;
  using typename nlohmann::json_sax<Json>::number_unsigned_t;
  using typename nlohmann::json_sax<Json>::string_t;

  Json take() { return std::move(root_); }
  const std::string& problem() const { return problem_; }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return refuse("binary value"); }
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    auto& object = open_.back()->template get_ref<typename Json::object_t&>();
    bool is_new = false;
    if constexpr (std::is_same_v<Json, ordered_json>) {
      // Its own look-up walks over all keys.
      is_new = keys_.back().insert(name).second;
      if (is_new) member_ = &object.emplace_back(name, nullptr).second;
    } else {
      const auto [entry, inserted] = object.emplace(name, nullptr);
      is_new = inserted;
      member_ = &entry->second;
    }
    return is_new || refuse(fmt::format("key {} stands twice", quote(name)));
  }

  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: <what is wrong>"
    std::string_view text = error.what();
    const size_t start = text.find(": ");
    if (error.id < 200 && start != text.npos) text.remove_prefix(start + 2);
    return refuse(fmt::format("invalid JSON: {}", text));
  }

 private:
  template <class T>
  bool add(T&& value) {
    place(Json(std::forward<T>(value)));
    return true;
  }

  Json* place(Json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    if (open_.back()->is_object()) return &(*member_ = std::move(value));
    return &open_.back()->emplace_back(std::move(value));
  }

  bool open(Json value) {
    if (static_cast<int64_t>(open_.size()) == max_json_depth) {
      return refuse(fmt::format("JSON nested deeper than {} levels", max_json_depth));
    }
    open_.push_back(place(std::move(value)));
    keys_.emplace_back();
    return true;
  }

  bool close() {
    open_.pop_back();
    keys_.pop_back();
    return true;
  }

  bool refuse(std::string problem) {
    problem_ = std::move(problem);
    problem_.resize(std::min(problem_.size(), longest_message));
    return false;
  }

  Json root_;
  std::vector<Json*> open_;  // a container does not move while one within it is open
  std::vector<std::unordered_set<std::string>> keys_;  // of each that keeps its order
  Json* member_ = nullptr;
  std::string problem_;
};

template <class Json>
Json parse(std::string_view text, const std::filesystem::path& path, int64_t first_line) {
  if (text.data() == nullptr) text = "";  // as of an empty file that is mapped
  Builder<Json> builder;
  const char* read = text.data();
  if (!Json::sax_parse(Cursor(text.data(), &read), Cursor(text.data() + text.size(), &read),
                       &builder)) {
    // The last character read is the one that is wrong, be it a line's end.
    const char* last = std::max(text.data(), read - 1);
    fail(fmt::format("{}:{}: {}", path.string(), first_line + std::count(text.data(), last, '\n'),
                     builder.problem()));
  }
  return builder.take();
}

}  // namespace

std::string quote(const json& value) {
  constexpr size_t longest_quote = 100;
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() <= longest_quote) return text;
  return text.substr(0, utf8_prefix(std::string_view(text).substr(0, longest_quote))) + "...";
}

json parse_json(std::string_view text, const std::filesystem::path& path, int64_t first_line) {
  return parse<json>(text, path, first_line);
}

ordered_json parse_ordered_json(std::string_view text, const std::filesystem::path& path,
                                int64_t first_line) {
  return parse<ordered_json>(text, path, first_line);
}

json read_json(const std::filesystem::path& path, int64_t max_bytes) {
  return parse_json(read_file(path, max_bytes), path);
}

}  // namespace rlhf::io
