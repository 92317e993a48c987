/// An archive's values as JSON, which keeps every bit of them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "rlhf/core/archive.hpp"

namespace rlhf::checkpoint {

/// Numbers that are not finite, which JSON lacks, become "NaN", "Infinity" and "-Infinity".
nlohmann::json to_json(const Archive::Value& value);
nlohmann::json to_json(const std::map<std::string, Archive::Value>& values);

/// The value that `stored` spells, of the type that `like` holds.
/// @throws Error naming `path` where it spells none
Archive::Value value_from(const nlohmann::json& stored, const Archive::Value& like,
                          const std::string& path);

}  // namespace rlhf::checkpoint
