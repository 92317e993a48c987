#include "manifest.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "rlhf/core/error.hpp"
#include "rlhf/core/version.hpp"
#include "rlhf/io/crc32c.hpp"
#include "rlhf/io/json.hpp"

namespace rlhf::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view format_name = "rlhf-checkpoint";
constexpr int64_t max_manifest_bytes = int64_t{1} << 20;

json entry_of(const io::Written& written) {
  return {{"bytes", written.bytes}, {"crc32c", written.crc32c}};
}

json read_manifest(const fs::path& folder) {
  const fs::path path = folder / manifest_file;
  const json manifest = io::read_json(path, max_manifest_bytes);
  const std::string where = path.string();
  require(manifest.is_object() && manifest.contains("format") && manifest["format"] == format_name,
          where + ": format", format_name, "another");
  const json written = manifest.value("version", json());
  require(written == format_version, where + ": version", format_version, io::quote(written));
  return manifest;
}

/// What the manifest says of a file.
uint64_t number_in(const json& manifest, const fs::path& folder, const char* file,
                   const char* field, const char* expected) {
  const json::json_pointer place = json::json_pointer() / "files" / file / field;
  const json number = manifest.contains(place) ? manifest.at(place) : json();
  require(number.is_number_unsigned(),
          fmt::format("{}: {}", (folder / manifest_file).string(), place.to_string()), expected,
          io::quote(number));
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

std::string manifest_of(const io::Written& tensors, const io::Written& state) {
  const json manifest = {
      {"format", format_name},
      {"version", format_version},
      {"library", version()},
      {"files", {{tensors_file, entry_of(tensors)}, {state_file, entry_of(state)}}}};
  return manifest.dump(1) + "\n";
}

Files checked_files(const fs::path& folder) {
  std::error_code error;  // the forms without it throw what is not our Error
  require(fs::is_directory(folder, error), folder.string(), "a checkpoint folder",
          fs::exists(folder, error) ? "another kind of file" : "none");
  const json manifest = read_manifest(folder);
  for (const char* name : {state_file, tensors_file}) require_size(manifest, folder, name);
  return {.state = checked_file(manifest, folder, state_file),
          .tensors = checked_file(manifest, folder, tensors_file)};
}

}  // namespace rlhf::checkpoint
