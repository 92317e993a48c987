/// Model folders as Hugging Face's transformers reads and writes them.
///
///     config.json                       what the model is
///     model.safetensors                 its weights, or, where they are large:
///     model.safetensors.index.json      {"metadata": {...}, "weight_map": {tensor: file, ...}}
///     model-00001-of-00002.safetensors  and the other files that the index names
///
///   const io::HuggingFaceFolder folder("SmolLM2-135M");
///   const int64_t layers = folder.config().at("num_hidden_layers");
///   folder.read("model.norm.weight", numbers);
///
/// Files are read as hostile: none is opened that lies outside the folder, and what the index says
/// and what the files hold must agree.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/io/safetensors_layout.hpp"

namespace rlhf::io {

inline constexpr int64_t max_config_bytes = int64_t{1} << 20;
inline constexpr int64_t max_index_bytes = int64_t{1} << 24;

/// Whether a file of the folder may be a link to somewhere else. `anywhere` is for folders of the
/// Hub's cache, whose files are links into another folder, and only for those you trust.
enum class Links : uint8_t { inside, anywhere };

/// The file of each tensor, as an index says.
/// @param path    only serves the messages
/// @throws Error  naming the tensor: no object of strings; a file that is no plain name ending in
///                ".safetensors"; a name twice
std::map<std::string, std::string> parse_weight_map(std::string_view text,
                                                    const std::filesystem::path& path);

struct FolderTensor {
  std::string name = "";
  std::vector<int64_t> shape = {};
  Dtype dtype = Dtype::f32;

  int64_t count() const;  ///< of numbers
};

/// A folder whose every header has been checked when this exists. The weights are mapped, and read
/// only when asked for.
class HuggingFaceFolder {
 public:
  /// @throws Error naming file and field: config.json or weights missing, too large or no JSON; a
  ///         file that leaves the folder; a tensor that does not fit its file, has no place in the
  ///         index or another one; weights that the index does not name
  explicit HuggingFaceFolder(const std::filesystem::path& folder, Links links = Links::inside);

  const std::filesystem::path& path() const { return folder_; }
  const nlohmann::json& config() const { return config_; }  ///< an object
  /// "<path>/config.json", as messages about it begin.
  std::string config_place() const { return (folder_ / "config.json").string(); }

  const std::vector<FolderTensor>& tensors() const { return tensors_; }  ///< sorted by name
  bool contains(std::string_view name) const { return places_.contains(name); }
  /// @throws Error if there is none
  const FolderTensor& tensor(std::string_view name) const;

  /// F32, F16 and BF16 numbers as float32, row-major.
  /// @throws Error naming the tensor: none of this name, of another type, or not of
  ///         `numbers.size()` numbers
  void read(std::string_view name, std::span<float> numbers) const;

 private:
  struct Place {
    size_t shard = 0;
    size_t tensor = 0;
    int64_t begin = 0;  ///< in the shard's file
    int64_t bytes = 0;
  };
  void add_shard(const std::string& file, const std::map<std::string, std::string>* weight_map);
  const Place& place_of(std::string_view name) const;

  std::filesystem::path folder_;
  Links links_;
  nlohmann::json config_;
  std::vector<MappedFile> shards_;
  std::vector<FolderTensor> tensors_;
  std::map<std::string, Place, std::less<>> places_;
};

/// What write_hugging_face_folder() is to write.
struct FolderContent {
  nlohmann::json config = nlohmann::json::object();
  std::vector<TensorBytes> tensors = {};
  std::map<std::string, std::string> files = {};  ///< more by name: tokenizer.json and its like
};

/// Writes the folder as a whole or not at all, in place of a model that is there already: one file
/// of weights, or several with an index where they would have more than `max_shard_bytes` (a tensor
/// larger than that has a file of its own).
/// @throws Error naming the path; names that are no plain file names; a folder that is there and
///         holds anything but the files of such a model is never replaced
void write_hugging_face_folder(const std::filesystem::path& folder, const FolderContent& content,
                               int64_t max_shard_bytes = 5'000'000'000);

}  // namespace rlhf::io
