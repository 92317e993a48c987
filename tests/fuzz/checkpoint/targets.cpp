#include "fuzz/checkpoint/targets.hpp"

#include <cmath>
#include <stdexcept>

#include "../../../src/checkpoint/manifest.hpp"
#include "../../../src/checkpoint/stored_values.hpp"
#include "fuzz/place.hpp"
#include "rlhf/io/crc32c.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/io/safetensors_layout.hpp"

namespace rlhf::fuzz {
namespace {

using nlohmann::json;

/// checkpoint.json, state.json and tensors.safetensors.
void read_checkpoint(const std::string& bytes) {
  const auto [manifest, rest] = cut(bytes);
  const auto [state, tensors] = cut(rest);
  put(folder() / checkpoint::manifest_file, manifest);
  put(folder() / checkpoint::state_file, state);
  put(folder() / checkpoint::tensors_file, tensors);
  const checkpoint::Files files = checkpoint::checked_files(folder());
  if (files.state.bytes() != state || files.tensors.bytes() != tensors) {
    throw std::logic_error("other bytes than those of the files");
  }
  io::parse_json(files.state.bytes(), files.state.path());
  io::read_safetensors_header(files.tensors);
}

/// checkpoint.json is made to tell the sizes and checksums that the other files have.
void mend_checkpoint(std::string& bytes) {
  const auto [manifest, rest] = cut(bytes);
  const auto [state, tensors] = cut(rest);
  json mended = json::parse(manifest, nullptr, false);
  if (!mended.is_object()) return;
  mended["files"] = {
      {checkpoint::state_file, {{"bytes", state.size()}, {"crc32c", io::crc32c(state)}}},
      {checkpoint::tensors_file, {{"bytes", tensors.size()}, {"crc32c", io::crc32c(tensors)}}}};
  bytes = mended.dump() + file_end + std::string(rest);
}

/// state.json's values as each type that a part of a run may hold: those that are one are written
/// and read again as the same.
void read_stored_values(const std::string& bytes) {
  const json state = io::parse_json(bytes, file_name);
  const std::vector<Archive::Value> types{false,
                                          int64_t{},
                                          uint64_t{},
                                          double{},
                                          std::string(),
                                          std::vector<int64_t>(),
                                          std::vector<double>(),
                                          std::vector<std::string>()};
  if (!state.is_object() || !state.contains("values")) return;
  beyond_the_file([&] {
    int64_t fitting = 0;
    for (const auto& [name, stored] : state["values"].items()) {
      for (const Archive::Value& type : types) {
        try {
          const Archive::Value value = checkpoint::value_from(stored, type, name);
          ++fitting;
          const json again = checkpoint::to_json(value);
          if (checkpoint::to_json(checkpoint::value_from(again, type, name)) != again) {
            throw std::logic_error("another value when written and read again");
          }
        } catch (const Error&) {
          if (&type == &types.back() && fitting == 0) throw;
        }
      }
    }
  });
}

}  // namespace

Target checkpoint_target() {
  return {"checkpoint",
          read_checkpoint,
          {"\"format\":\"rlhf-checkpoint\"", "\"version\":2", "\"files\":", "\"bytes\":",
           "\"crc32c\":", "\"state.json\":", "\"tensors.safetensors\":", "null", "-1", "1e300",
           "18446744073709551616", "{", "}", "[", "]", std::string(1, file_end)},
          mend_checkpoint};
}

Target stored_values_target() {
  return {"stored_values",
          read_stored_values,
          {"\"values\":{", "\"options\":{", "\"NaN\"", "\"-Infinity\"", "9223372036854775808",
           "-9223372036854775808", "18446744073709551615", "1e-400", "true", "null", "[1,-1]",
           "[\"a\",0.5]", "{", "}", "[", "]", ",", ":"}};
}

}  // namespace rlhf::fuzz
