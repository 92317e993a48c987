/// The dataset types and formats of TRL, told by a row's fields.
///
///   type                    fields                                         read as
///   language modelling      text | messages                                Demonstration
///   prompt-completion       prompt, completion                             Demonstration
///   preference              prompt, chosen, rejected                       Ranking of two
///   ... of K                prompt, responses (best first), maybe ranks    Ranking
///   ... implicit prompt     chosen, rejected                               Ranking of two
///   unpaired preference     prompt, completion, label                      UnpairedPreference
///   prompt-only             prompt                                         Prompt
///
/// In the standard format these fields are strings. In the conversational format they are lists of
/// messages, {"role": "user", "content": "Hi"}, that a model's chat template makes text of.
/// Source: the documentation of TRL, "Dataset formats and types".
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace rlhf::data {

/// What the fields are called in the file. A field without a name ("") is not looked for: one that
/// is there under its usual name is then one of a row's further fields.
struct FieldNames {
  std::string text = "text";
  std::string messages = "messages";
  std::string prompt = "prompt";
  std::string completion = "completion";
  std::string responses = "responses";
  std::string ranks = "ranks";
  std::string chosen = "chosen";
  std::string rejected = "rejected";
  std::string label = "label";
};

enum class RowType : uint8_t {
  language_modeling,
  prompt_completion,
  preference,  ///< of two or of K
  implicit_prompt_preference,
  unpaired_preference,
  prompt_only,
};

enum class RowFormat : uint8_t { standard, conversational };

struct RowKind {
  RowType type = RowType::language_modeling;
  RowFormat format = RowFormat::standard;
  bool operator==(const RowKind&) const = default;
};

/// "prompt-completion in the conversational format".
std::string name_of(const RowKind& kind);

/// What a row is. Looks at which of the fields above it has and whether they are text or lists, not
/// at what is in the lists.
/// @param source  "path:line", begins every message
/// @throws Error  naming the fields, if the row is no object, has the fields of no type or of more
///                than one, or some that are text beside some that are lists
RowKind kind_of(const nlohmann::ordered_json& row, const FieldNames& fields,
                const std::string& source);

}  // namespace rlhf::data
