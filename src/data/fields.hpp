// A row's fields: which there are, and what is in each, taken out one by one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rlhf/data/dataset_format.hpp"
#include "rlhf/data/rows.hpp"

namespace rlhf::data {

/// kind_of for a reader that takes some types only.
RowKind kind_among(const nlohmann::ordered_json& row, const std::vector<RowType>& types,
                   const FieldNames& names, const std::string& source);

/// `path:line: field "name"`.
std::string field_place(const std::string& source, const std::string& name);

/// What a conversation is part of, and so what it must hold.
enum class Part : uint8_t {
  prompt,      ///< the last message is not the assistant's
  completion,  ///< the assistant says something
};

/// An object whose fields are taken out; what is left is the row's `extra`.
class Fields {
 public:
  /// `row` is an object, as kind_of has seen.
  Fields(nlohmann::ordered_json row, std::string source)
      : row_(std::move(row)), source_(std::move(source)) {}

  bool has(const std::string& name) const { return !name.empty() && row_.contains(name); }
  /// Of a field that is there, as kind_of has seen.
  Content content(const std::string& name, Part part);
  std::vector<Content> contents(const std::string& name, RowFormat format);
  std::vector<int64_t> integers(const std::string& name);
  bool boolean(const std::string& name);

  const std::string& source() const { return source_; }
  nlohmann::ordered_json take_rest() { return std::move(row_); }

 private:
  nlohmann::ordered_json take(const std::string& name);
  nlohmann::ordered_json take_array(const std::string& name);

  nlohmann::ordered_json row_;
  std::string source_;
};

bool is_of_assistant(const Message& message);
/// Whether two messages say the same; the order of their fields does not count.
bool same(const Message& a, const Message& b);
/// Bytes before the first that differs.
size_t common_bytes(std::string_view a, std::string_view b);

/// Takes the common beginning out of two contents of one format.
/// @throws Error that starts with `where` if they have none, or what is left of a conversation has
///         nothing of the assistant
Content extract_prompt(Content& chosen, Content& rejected, const std::string& where);

}  // namespace rlhf::data
