/// A value in a JSON file that knows where it stands, so that every mistake is named.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace rlhf::text {

class JsonField {
 public:
  /// The whole of a file.
  JsonField(const nlohmann::json& value, const std::filesystem::path& path)
      : value_(&value), path_(path.string()) {}

  /// "tokenizer.json: model.merges[3]"
  std::string where() const { return name_.empty() ? path_ : path_ + ": " + name_; }
  const nlohmann::json& value() const { return *value_; }
  bool is_null() const { return value_->is_null(); }

  /// A member; missing ones and null are absent. @throws Error unless this is an object
  std::optional<JsonField> find(const std::string& key) const;
  /// @throws Error if it is missing or null
  JsonField at(const std::string& key) const;
  /// @throws Error unless this is an array that has it
  JsonField at(size_t index) const;
  size_t size() const;  ///< of an array. @throws Error unless it is one

  const std::string& string() const;  ///< @throws Error unless it is one
  bool boolean() const;
  int64_t id() const;  ///< a whole number >= 0 that fits the ids of a vocabulary
  bool flag(const std::string& key, bool otherwise) const;  ///< a member that may be missing
  /// Throws Error "<where>: expected <expected>, got <what it is>".
  [[noreturn]] void refuse(std::string_view expected) const;

 private:
  JsonField(const nlohmann::json& value, std::string path, std::string name)
      : value_(&value), path_(std::move(path)), name_(std::move(name)) {}
  void require_type(nlohmann::json::value_t type) const;

  const nlohmann::json* value_;
  std::string path_;
  std::string name_;
};

}  // namespace rlhf::text
