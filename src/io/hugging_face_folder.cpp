#include "rlhf/io/hugging_face_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "folder_files.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"

namespace rlhf::io {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// The path of a file of the folder. A link must end in the folder as well.
fs::path file_in(const fs::path& folder, const std::string& name, Links links) {
  const fs::path path = folder / name;
  std::error_code error;
  if (links == Links::anywhere || !fs::is_symlink(path, error)) return path;
  const fs::path target = fs::canonical(path, error);
  if (error) fail(fmt::format("{}: cannot follow the link: {}", path.string(), error.message()));
  require(target.parent_path() == fs::canonical(folder, error), path.string(),
          "a file of the folder (Links::anywhere allows others)", "a link to " + target.string());
  return path;
}

bool exists_in(const fs::path& folder, const char* name) {
  std::error_code error;  // of a link, not of what it leads to: that must not be passed over
  return fs::exists(fs::symlink_status(folder / name, error));
}

json read_config(const fs::path& path) {
  json config = read_json(path, max_config_bytes);
  require(config.is_object(), path.string(), "an object", config.type_name());
  return config;
}

/// Weights left over from another model would make it a matter of luck which are read.
void require_named(const fs::path& folder, const std::set<std::string>& named) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    require(!is_weights_name(name) || named.contains(name), (folder / name).string(),
            fmt::format("a file that {} names", index_name), "one that it does not");
  }
  if (error) fail(fmt::format("{}: cannot be listed: {}", folder.string(), error.message()));
}

}  // namespace

int64_t FolderTensor::count() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

std::map<std::string, std::string> parse_weight_map(std::string_view text, const fs::path& path) {
  const json index = parse_json(text, path);
  const std::string where = path.string();
  require(index.is_object(), where, "an object", index.type_name());
  require(index.contains("weight_map"), where, "a field weight_map", "none");
  const json& weight_map = index["weight_map"];
  require(weight_map.is_object(), where + ": weight_map", "an object", weight_map.type_name());
  require(!weight_map.empty(), where + ": weight_map", "at least one tensor", "none");
  std::map<std::string, std::string> files;
  for (const auto& [name, file] : weight_map.items()) {
    const bool fits = file.is_string() && is_plain_name(file.get_ref<const std::string&>()) &&
                      file.get_ref<const std::string&>().ends_with(".safetensors");
    require(fits, fmt::format("{}: weight_map: {}", where, quote(name)),
            "the name of a .safetensors file in the same folder", quote(file));
    files.emplace(name, file.get<std::string>());
  }
  return files;
}

HuggingFaceFolder::HuggingFaceFolder(const fs::path& folder, Links links)
    : folder_(folder), links_(links) {
  std::error_code error;
  require(fs::is_directory(folder, error), folder.string(), "a model folder",
          fs::exists(folder, error) ? "another kind of file" : "none");
  config_ = read_config(file_in(folder, config_name, links));
  if (exists_in(folder, index_name)) {
    const fs::path path = file_in(folder, index_name, links);
    const std::map<std::string, std::string> weight_map =
        parse_weight_map(read_file(path, max_index_bytes), path);
    std::set<std::string> named;
    for (const auto& [tensor, file] : weight_map) named.insert(file);
    require_named(folder, named);
    for (const std::string& file : named) add_shard(file, &weight_map);
    for (const auto& [tensor, file] : weight_map) {
      require(places_.contains(tensor),
              fmt::format("{}: weight_map: {}", path.string(), quote(tensor)),
              fmt::format("a tensor in {}", file), "none of this name there");
    }
  } else {
    require(exists_in(folder, single_weights_name), folder.string(),
            fmt::format("{} or {}", single_weights_name, index_name), "neither");
    require_named(folder, {single_weights_name});
    add_shard(single_weights_name, nullptr);
  }
  std::sort(tensors_.begin(), tensors_.end(),
            [](const FolderTensor& a, const FolderTensor& b) { return a.name < b.name; });
  for (size_t i = 0; i < tensors_.size(); ++i) places_.find(tensors_[i].name)->second.tensor = i;
}

void HuggingFaceFolder::add_shard(const std::string& file,
                                  const std::map<std::string, std::string>* weight_map) {
  const MappedFile& shard = shards_.emplace_back(file_in(folder_, file, links_));
  const SafetensorsHeader header = read_safetensors_header(shard);
  for (const SafetensorsEntry& entry : header.entries) {
    if (weight_map != nullptr) {
      const auto named = weight_map->find(entry.name);
      const std::string where =
          fmt::format("{}: tensor {}", shard.path().string(), quote(entry.name));
      require(named != weight_map->end(), where, fmt::format("a tensor that {} names", index_name),
              "one that it does not");
      require(named->second == file, where,
              fmt::format("a tensor that {} has in this file", index_name),
              "one that it has in " + named->second);
    }
    places_.emplace(entry.name, Place{.shard = shards_.size() - 1,
                                      .begin = header.data_begin + entry.begin,
                                      .bytes = entry.end - entry.begin});
    tensors_.push_back({.name = entry.name, .shape = entry.shape, .dtype = entry.dtype});
  }
}

const HuggingFaceFolder::Place& HuggingFaceFolder::place_of(std::string_view name) const {
  const auto place = places_.find(name);
  require(place != places_.end(), folder_.string(), fmt::format("a tensor {}", quote(name)),
          "none");
  return place->second;
}

const FolderTensor& HuggingFaceFolder::tensor(std::string_view name) const {
  return tensors_[place_of(name).tensor];
}

void HuggingFaceFolder::read(std::string_view name, std::span<float> numbers) const {
  const Place& place = place_of(name);
  const MappedFile& shard = shards_[place.shard];
  to_float32(tensors_[place.tensor].dtype, shard.slice(place.begin, place.bytes), numbers,
             fmt::format("{}: tensor {}", shard.path().string(), quote(name)));
}

}  // namespace rlhf::io
