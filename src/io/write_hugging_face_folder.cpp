#include <fmt/format.h>

#include <algorithm>

#include "folder_files.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/hugging_face_folder.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf::io {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Shard = std::vector<TensorBytes>;

/// As many tensors in each file as fit, in their order.
std::vector<Shard> in_shards(const std::vector<TensorBytes>& tensors, int64_t max_shard_bytes) {
  std::vector<Shard> shards(1);
  int64_t filled = 0;
  for (const TensorBytes& tensor : tensors) {
    const auto bytes = static_cast<int64_t>(tensor.bytes.size());
    if (!shards.back().empty() && filled > max_shard_bytes - bytes) {
      shards.emplace_back();
      filled = 0;
    }
    shards.back().push_back(tensor);
    filled += bytes;
  }
  return shards;
}

void write_weights(const fs::path& folder, const std::vector<Shard>& shards) {
  const std::map<std::string, std::string> metadata = {{"format", "pt"}};  // transformers asks
  if (shards.size() == 1) {
    write_tensor_bytes(folder / single_weights_name, shards.front(), metadata);
    return;
  }
  json weight_map = json::object();
  int64_t total = 0;
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string name = shard_name(i + 1, shards.size());
    write_tensor_bytes(folder / name, shards[i], metadata);
    for (const TensorBytes& tensor : shards[i]) {
      require(!weight_map.contains(tensor.name),
              fmt::format("{}: tensor {}", folder.string(), quote(tensor.name)),
              "a name of its own", "the name of an earlier tensor");
      weight_map[tensor.name] = name;
      total += static_cast<int64_t>(tensor.bytes.size());
    }
  }
  const json index = {{"metadata", {{"total_size", total}}}, {"weight_map", weight_map}};
  write_file_atomically(folder / index_name, index.dump(2) + "\n");
}

std::string config_text(const json& config) {
  require(config.is_object(), "FolderContent::config", "an object", config.type_name());
  try {
    return config.dump(2) + "\n";
  } catch (const json::exception& error) {
    fail("FolderContent::config", "text that is UTF-8", error.what());
  }
}

void require_writable(const fs::path& folder, const FolderContent& content) {
  for (const auto& [name, bytes] : content.files) {
    const std::string where = fmt::format("FolderContent::files: {}", quote(name));
    require_utf8(name, where);
    require(is_plain_name(name), where, "a plain file name", quote(name));
    require(name != config_name && name != index_name && !is_weights_name(name), where,
            "another file than those of the config and the weights", name);
  }
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool replaced = name == config_name || name == index_name || is_weights_name(name) ||
                          content.files.contains(name);
    require(replaced && !entry->is_directory(error), folder.string(),
            "no folder, or one that holds only what will be written anew", name);
  }
}

}  // namespace

void write_hugging_face_folder(const fs::path& folder, const FolderContent& content,
                               int64_t max_shard_bytes) {
  require(max_shard_bytes >= 1, "max_shard_bytes", ">= 1", max_shard_bytes);
  require_writable(folder, content);
  const std::string config = config_text(content.config);
  const std::vector<Shard> shards = in_shards(content.tensors, max_shard_bytes);
  write_folder_atomically(folder, config_name, [&](const fs::path& temporary) {
    write_weights(temporary, shards);
    for (const auto& [name, bytes] : content.files) write_file_atomically(temporary / name, bytes);
    write_file_atomically(temporary / config_name, config);
  });
}

}  // namespace rlhf::io
