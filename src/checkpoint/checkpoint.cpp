#include "rlhf/checkpoint/checkpoint.hpp"

#include <fmt/format.h>

#include <cmath>

#include "rlhf/core/error.hpp"
#include "rlhf/core/version.hpp"
#include "rlhf/io/crc32c.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/io/mapped_file.hpp"
#include "rlhf/io/named_tensors.hpp"
#include "rlhf/io/safetensors.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view format_name = "rlhf-checkpoint";
constexpr const char* manifest_file = "checkpoint.json";
constexpr const char* state_file = "state.json";
constexpr const char* tensors_file = "tensors.safetensors";
constexpr int64_t max_manifest_bytes = int64_t{1} << 20;

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

json entry_of(const io::Written& written) {
  return {{"bytes", written.bytes}, {"crc32c", written.crc32c}};
}

void write_content(const fs::path& folder, const Checkpoint& checkpoint) {
  json files = json::object();
  files[tensors_file] = entry_of(io::write_safetensors(folder / tensors_file, checkpoint.tensors));
  files[state_file] =
      entry_of(io::write_file_atomically(folder / state_file, checkpoint.state.dump(1) + "\n"));
  const json manifest = {{"format", format_name},
                         {"version", format_version},
                         {"library", version()},
                         {"files", files}};
  io::write_file_atomically(folder / manifest_file, manifest.dump(1) + "\n");
}

json read_manifest(const fs::path& folder) {
  const fs::path path = folder / manifest_file;
  const json manifest = io::read_json(path, max_manifest_bytes);
  const std::string where = path.string();
  require(manifest.is_object() && manifest.contains("format") && manifest["format"] == format_name,
          where + ": format", format_name, "another");
  const json written = manifest.value("version", json());
  require(written == format_version, where + ": version", format_version, written.dump());
  return manifest;
}

/// What the manifest says of a file.
uint64_t number_in(const json& manifest, const fs::path& folder, const char* file,
                   const char* field, const char* expected) {
  const json::json_pointer place = json::json_pointer() / "files" / file / field;
  const json number = manifest.contains(place) ? manifest.at(place) : json();
  require(number.is_number_unsigned(),
          fmt::format("{}: {}", (folder / manifest_file).string(), place.to_string()), expected,
          number.dump());
  return number.get<uint64_t>();
}

void require_size(const json& manifest, const fs::path& folder, const char* name) {
  const fs::path path = folder / name;
  std::error_code error;
  require(fs::is_regular_file(path, error), path.string(), "a file", "none");
  const uint64_t bytes = number_in(manifest, folder, name, "bytes", "a number of bytes");
  const auto actual = static_cast<uint64_t>(fs::file_size(path, error));
  require(bytes == actual, path.string() + ": bytes", fmt::format("{}", bytes), actual);
}

/// The file, if its bytes are those that were written.
io::MappedFile checked_file(const json& manifest, const fs::path& folder, const char* name) {
  io::MappedFile file(folder / name);
  const uint64_t expected = number_in(manifest, folder, name, "crc32c", "a checksum");
  const uint32_t actual = io::crc32c(file.bytes());
  require(expected == actual, file.path().string() + ": checksum", fmt::format("{:08x}", expected),
          fmt::format("{:08x}: the file is damaged", actual));
  return file;
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
  std::error_code error;  // the forms without it throw what is not our Error
  require(fs::is_directory(folder, error), folder.string(), "a checkpoint folder",
          fs::exists(folder, error) ? "another kind of file" : "none");
  const json manifest = read_manifest(folder);
  for (const char* name : {state_file, tensors_file}) require_size(manifest, folder, name);
  const io::MappedFile state = checked_file(manifest, folder, state_file);
  const io::MappedFile tensors = checked_file(manifest, folder, tensors_file);
  return {.tensors = io::read_safetensors(tensors).tensors,
          .state = io::parse_json(state.bytes(), state.path())};
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
