#include "rlhf/io/safetensors_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "rlhf/core/error.hpp"
#include "rlhf/io/json.hpp"

namespace rlhf::io {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view metadata_key = "__metadata__";
constexpr int64_t length_bytes = 8;
constexpr size_t max_dimensions = 64;  // what LibTorch's kernels take

/// Reads one entry of the header; every message starts with the file and the tensor's name.
class EntryReader {
 public:
  EntryReader(const fs::path& path, const std::string& name, const json& description)
      : where_(fmt::format("{}: tensor {}", path.string(), quote(name))),
        description_(description) {
    require(description.is_object(), where_, "an object", description.type_name());
    for (const auto& [key, value] : description.items()) {
      require(key == "dtype" || key == "shape" || key == "data_offsets", where_ + ": field",
              "dtype, shape or data_offsets", quote(key));
    }
    entry_.name = name;
  }

  SafetensorsEntry read() {
    read_type();
    entry_.shape = integers("shape");
    require(entry_.shape.size() <= max_dimensions, where_ + ": dimensions",
            fmt::format("<= {}", max_dimensions), entry_.shape.size());
    const std::vector<int64_t> offsets = integers("data_offsets");
    require(offsets.size() == 2, where_ + ": data_offsets", "[begin, end]",
            quote(description_["data_offsets"]));
    entry_.begin = offsets[0];
    entry_.end = offsets[1];
    require(entry_.begin <= entry_.end, where_ + ": data_offsets", "begin <= end",
            quote(description_["data_offsets"]));
    require(entry_.end - entry_.begin == bytes_of_shape(), where_ + ": bytes of the data_offsets",
            fmt::format("{} for its shape and dtype", bytes_of_shape()), entry_.end - entry_.begin);
    return entry_;
  }

 private:
  const json& field(const char* name) const {
    const auto found = description_.find(name);
    require(found != description_.end(), where_, fmt::format("a field {}", name), "none");
    return *found;
  }

  void read_type() {
    const json& name = field("dtype");
    require(name.is_string(), where_ + ": dtype", "a string", name.type_name());
    const std::optional<Dtype> dtype = dtype_named(name.get_ref<const std::string&>());
    require(dtype.has_value(), where_ + ": dtype", known_dtypes(), quote(name));
    entry_.dtype = *dtype;
  }

  std::vector<int64_t> integers(const char* name) const {
    const json& list = field(name);
    const std::string what = fmt::format("{}: {}", where_, name);
    require(list.is_array(), what, "a list", list.type_name());
    std::vector<int64_t> values;
    for (const json& value : list) {
      require(value.is_number_unsigned() &&
                  value.get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()},
              what, "integers >= 0 and < 2^63", quote(value));
      values.push_back(value.get<int64_t>());
    }
    return values;
  }

  int64_t bytes_of_shape() const {
    // Zeros are left out of the first product: LibTorch's strides would overflow where it does.
    int64_t extent = bytes_of(entry_.dtype);
    bool empty = false;
    for (const int64_t size : entry_.shape) {
      empty |= size == 0;
      require(!__builtin_mul_overflow(extent, std::max<int64_t>(size, 1), &extent),
              where_ + ": shape", "fewer than 2^63 bytes", entry_.shape);
    }
    return empty ? 0 : extent;
  }

  std::string where_;
  const json& description_;
  SafetensorsEntry entry_ = {};
};

std::map<std::string, std::string> read_metadata(const fs::path& path, const json& description) {
  const std::string where = fmt::format("{}: {}", path.string(), metadata_key);
  require(description.is_object(), where, "an object", description.type_name());
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : description.items()) {
    require(value.is_string(), fmt::format("{}: {}", where, quote(key)), "a string",
            value.type_name());
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

/// Sorts by place, and checks that the tensors cover the data exactly.
void require_covering(std::vector<SafetensorsEntry>& entries, int64_t data_bytes,
                      const fs::path& path) {
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  int64_t covered = 0;
  for (const SafetensorsEntry& entry : entries) {
    const std::string where =
        fmt::format("{}: tensor {}: data_offsets", path.string(), quote(entry.name));
    require(entry.end <= data_bytes, where,
            fmt::format("inside the {} bytes of data in the file", data_bytes),
            fmt::format("[{}, {}]", entry.begin, entry.end));
    require(entry.begin == covered, where,
            fmt::format("begin {}, where the tensor before it ends", covered), entry.begin);
    covered = entry.end;
  }
  require(covered == data_bytes, path.string() + ": bytes of data", covered, data_bytes);
}

}  // namespace

SafetensorsHeader read_safetensors_header(const fs::path& path) {
  return read_safetensors_header(MappedFile(path));
}

SafetensorsHeader read_safetensors_header(const MappedFile& file) {
  const fs::path& path = file.path();
  require(file.size() >= length_bytes, path.string() + ": bytes",
          fmt::format(">= {}", length_bytes), file.size());
  uint64_t announced = 0;
  std::memcpy(&announced, file.slice(0, length_bytes).data(), length_bytes);
  const auto limit =
      static_cast<uint64_t>(std::min(file.size() - length_bytes, max_safetensors_header_bytes));
  require(announced <= limit, path.string() + ": header length", fmt::format("<= {}", limit),
          fmt::format("{}", announced));

  const std::string_view text = file.slice(length_bytes, static_cast<int64_t>(announced));
  require(text.starts_with('{'), path.string() + ": header", "JSON that starts with {",
          text.empty() ? "nothing" : "another character");
  const json object = parse_json(text, path);

  SafetensorsHeader header{.entries = {},
                           .data_begin = length_bytes + static_cast<int64_t>(announced)};
  for (const auto& [name, description] : object.items()) {
    if (name == metadata_key) {
      header.metadata = read_metadata(path, description);
    } else {
      header.entries.push_back(EntryReader(path, name, description).read());
    }
  }
  require_covering(header.entries, file.size() - header.data_begin, path);
  return header;
}

}  // namespace rlhf::io
