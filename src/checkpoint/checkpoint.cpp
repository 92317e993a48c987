#include "rlhf/checkpoint/checkpoint.hpp"

#include <fmt/format.h>

#include <cmath>

#include "manifest.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/io/named_tensors.hpp"
#include "rlhf/io/safetensors.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// JSON turns what it cannot spell into null, or into text that no one reads back.
void require_storable(const json& value, const std::string& where, int64_t depth) {
  require(!value.is_structured() || depth <= io::max_json_depth, where,
          fmt::format("at most {} levels", io::max_json_depth), "more");
  if (value.is_number_float()) {
    require(std::isfinite(value.get<double>()), where, "a finite number", value.get<double>());
  } else if (value.is_string()) {
    io::require_utf8(value.get_ref<const std::string&>(), where);
  } else if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      io::require_utf8(key, where + ": key");
      require_storable(member, where + "/" + key, depth + 1);
    }
  } else if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) {
      require_storable(value[i], fmt::format("{}/{}", where, i), depth + 1);
    }
  } else {
    require(!value.is_binary() && !value.is_discarded(), where, "a JSON value", value.type_name());
  }
}

void write_content(const fs::path& folder, const Checkpoint& checkpoint) {
  const io::Written tensors = io::write_safetensors(folder / tensors_file, checkpoint.tensors);
  const io::Written state =
      io::write_file_atomically(folder / state_file, checkpoint.state.dump(1) + "\n");
  io::write_file_atomically(folder / manifest_file, manifest_of(tensors, state));
}

}  // namespace

void save(const fs::path& folder, const Checkpoint& checkpoint) {
  require(checkpoint.state.is_object(), "Checkpoint::state", "an object",
          checkpoint.state.type_name());
  require_storable(checkpoint.state, "Checkpoint::state", 1);
  io::write_folder_atomically(folder, manifest_file, [&](const fs::path& temporary) {
    write_content(temporary, checkpoint);
  });
}

Checkpoint load(const fs::path& folder) {
  const Files files = checked_files(folder);
  return {.tensors = io::read_safetensors(files.tensors).tensors,
          .state = io::parse_json(files.state.bytes(), files.state.path())};
}

void add(Checkpoint& checkpoint, std::string_view prefix, const std::vector<NamedTensor>& tensors) {
  for (const auto& [name, tensor] : tensors) {
    checkpoint.tensors.emplace_back(fmt::format("{}{}", prefix, name), tensor);
  }
}

std::vector<NamedTensor> part(const std::vector<NamedTensor>& tensors, std::string_view prefix) {
  return io::with_prefix(tensors, prefix);
}

void restore(const std::vector<NamedTensor>& parameters, const std::vector<NamedTensor>& tensors,
             std::string_view prefix) {
  io::assign(parameters, tensors, "checkpoint does not fit the model", prefix);
}

json to_json(const GeneratorState& state) {
  return {{"seed", state.seed}, {"step", state.step}, {"drawn", state.drawn}};
}

GeneratorState generator_state_from(const json& value) {
  const auto field = [&](const char* name) {
    const bool fits = value.is_object() && value.contains(name) && value[name].is_number_unsigned();
    require(fits, fmt::format("generator state: {}", name), "an integer >= 0", value.dump());
    return value[name].get<uint64_t>();
  };
  return {.seed = field("seed"), .step = field("step"), .drawn = field("drawn")};
}

}  // namespace rlhf::checkpoint
