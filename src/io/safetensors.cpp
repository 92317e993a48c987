#include "rlhf/io/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf::io {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "tensors are copied as they are");

constexpr std::string_view metadata_key = "__metadata__";
constexpr int64_t length_bytes = 8;
constexpr size_t max_dimensions = 64;  // what LibTorch's kernels take

struct TypeName {
  at::ScalarType type;
  std::string_view name;
};
constexpr std::array<TypeName, 10> type_names = {{{at::kDouble, "F64"},
                                                  {at::kFloat, "F32"},
                                                  {at::kHalf, "F16"},
                                                  {at::kBFloat16, "BF16"},
                                                  {at::kLong, "I64"},
                                                  {at::kInt, "I32"},
                                                  {at::kShort, "I16"},
                                                  {at::kChar, "I8"},
                                                  {at::kByte, "U8"},
                                                  {at::kBool, "BOOL"}}};

std::string supported_types() {
  std::string list;
  for (const TypeName& known : type_names) {
    list += fmt::format("{}{}", list.empty() ? "one of " : ", ", known.name);
  }
  return list;
}

int64_t bytes_of(at::ScalarType type) {
  return static_cast<int64_t>(c10::elementSize(type));
}

/// Reads one entry of the header; every message starts with the file and the tensor's name.
class EntryReader {
 public:
  EntryReader(const fs::path& path, const std::string& name, const json& description)
      : where_(fmt::format("{}: tensor \"{}\"", path.string(), name)), description_(description) {
    require(description.is_object(), where_, "an object", description.type_name());
    for (const auto& [key, value] : description.items()) {
      require(key == "dtype" || key == "shape" || key == "data_offsets", where_ + ": field",
              "dtype, shape or data_offsets", key);
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
            description_["data_offsets"].dump());
    entry_.begin = offsets[0];
    entry_.end = offsets[1];
    require(entry_.begin <= entry_.end, where_ + ": data_offsets", "begin <= end",
            description_["data_offsets"].dump());
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
    const auto known = std::find_if(type_names.begin(), type_names.end(),
                                    [&](const TypeName& t) { return t.name == name; });
    require(known != type_names.end(), where_ + ": dtype", supported_types(), name.dump());
    entry_.dtype = known->type;
  }

  std::vector<int64_t> integers(const char* name) const {
    const json& list = field(name);
    const std::string what = fmt::format("{}: {}", where_, name);
    require(list.is_array(), what, "a list", list.type_name());
    std::vector<int64_t> values;
    for (const json& value : list) {
      require(value.is_number_unsigned() &&
                  value.get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()},
              what, "integers >= 0 and < 2^63", value.dump());
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
              where_ + ": shape", "fewer than 2^63 bytes", at::IntArrayRef(entry_.shape));
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
    require(value.is_string(), fmt::format("{}: \"{}\"", where, key), "a string",
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
        fmt::format("{}: tensor \"{}\": data_offsets", path.string(), entry.name);
    require(entry.end <= data_bytes, where,
            fmt::format("inside the {} bytes of data in the file", data_bytes),
            fmt::format("[{}, {}]", entry.begin, entry.end));
    require(entry.begin == covered, where,
            fmt::format("begin {}, where the tensor before it ends", covered), entry.begin);
    covered = entry.end;
  }
  require(covered == data_bytes, path.string() + ": bytes of data", covered, data_bytes);
}

/// The open file; reads say which file was too short.
class Source {
 public:
  explicit Source(const fs::path& path) : path_(path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    require(fs::exists(status), path.string(), "a file", "none");
    require(fs::is_regular_file(status), path.string(), "a regular file", "something else");
    size_ = static_cast<int64_t>(fs::file_size(path, error));
    file_.open(path, std::ios::binary);
    if (error || !file_) fail(path.string() + ": cannot be read");
  }

  int64_t size() const { return size_; }

  void read(int64_t offset, void* out, int64_t count) {
    if (count == 0) return;
    file_.seekg(offset);
    file_.read(static_cast<char*>(out), count);
    require(file_.gcount() == count, path_.string() + ": bytes read", count, file_.gcount());
  }

 private:
  const fs::path& path_;
  std::ifstream file_;
  int64_t size_ = 0;
};

SafetensorsHeader read_header(Source& source, const fs::path& path) {
  require(source.size() >= length_bytes, path.string() + ": bytes",
          fmt::format(">= {}", length_bytes), source.size());
  uint64_t announced = 0;
  source.read(0, &announced, length_bytes);
  const auto limit =
      static_cast<uint64_t>(std::min(source.size() - length_bytes, max_safetensors_header_bytes));
  require(announced <= limit, path.string() + ": header length", fmt::format("<= {}", limit),
          fmt::format("{}", announced));

  std::string text(announced, '\0');
  source.read(length_bytes, text.data(), static_cast<int64_t>(announced));
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
  require_covering(header.entries, source.size() - header.data_begin, path);
  return header;
}

std::string_view bytes_view(const Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()};
}

/// The tensors as they will lie in the file: checked, on the CPU, contiguous, wider types first.
std::vector<NamedTensor> in_file_order(const fs::path& path,
                                       const std::vector<NamedTensor>& tensors) {
  std::set<std::string_view> seen;
  std::vector<NamedTensor> ordered;
  for (const auto& [name, tensor] : tensors) {
    const std::string where = fmt::format("{}: tensor \"{}\"", path.string(), name);
    require_utf8(name, where);
    require(name != metadata_key, where, "another name", name);
    require(seen.insert(name).second, where, "a name of its own", "the name of an earlier tensor");
    require(tensor.defined(), where, "a tensor", "none");
    require(tensor.layout() == at::kStrided, where + ": layout", "dense", "another");
    require(std::any_of(type_names.begin(), type_names.end(),
                        [&](const TypeName& t) { return t.type == tensor.scalar_type(); }),
            where + ": dtype", supported_types(), c10::toString(tensor.scalar_type()));
    ordered.emplace_back(name, tensor.detach().to(torch::kCPU).contiguous());
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });
  return ordered;
}

std::string header_text(const fs::path& path, const std::vector<NamedTensor>& ordered,
                        const std::map<std::string, std::string>& metadata) {
  std::string text;
  if (!metadata.empty()) {
    for (const auto& [key, value] : metadata) {
      require_utf8(key, fmt::format("{}: metadata key", path.string()));
      require_utf8(value, fmt::format("{}: metadata \"{}\"", path.string(), key));
    }
    text += fmt::format("\"{}\":{}", metadata_key, json(metadata).dump());
  }
  int64_t offset = 0;
  for (const auto& [name, tensor] : ordered) {
    const auto type = std::find_if(type_names.begin(), type_names.end(), [&](const TypeName& t) {
      return t.type == tensor.scalar_type();
    });
    const int64_t end = offset + static_cast<int64_t>(tensor.nbytes());
    text += fmt::format("{}{}:{{\"dtype\":\"{}\",\"shape\":{},\"data_offsets\":[{},{}]}}",
                        text.empty() ? "" : ",", json(name).dump(), type->name,
                        json(tensor.sizes().vec()).dump(), offset, end);
    offset = end;
  }
  text = "{" + text + "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

SafetensorsHeader read_safetensors_header(const fs::path& path) {
  Source source(path);
  return read_header(source, path);
}

Safetensors read_safetensors(const fs::path& path) {
  Source source(path);
  SafetensorsHeader header = read_header(source, path);
  Safetensors result{.tensors = {}, .metadata = std::move(header.metadata)};
  for (const SafetensorsEntry& entry : header.entries) {
    const Tensor tensor = torch::empty(entry.shape, entry.dtype);
    source.read(header.data_begin + entry.begin, tensor.mutable_data_ptr(),
                entry.end - entry.begin);
    if (entry.dtype == at::kBool) {
      const std::string_view bytes = bytes_view(tensor);
      require(std::all_of(bytes.begin(), bytes.end(), [](char b) { return b == 0 || b == 1; }),
              fmt::format("{}: tensor \"{}\"", path.string(), entry.name), "bytes 0 and 1",
              "another byte");
    }
    result.tensors.emplace_back(entry.name, tensor);
  }
  return result;
}

void write_safetensors(const fs::path& path, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::vector<NamedTensor> ordered = in_file_order(path, tensors);
  const std::string header = header_text(path, ordered, metadata);
  const uint64_t length = header.size();
  std::array<char, length_bytes> prefix;
  std::memcpy(prefix.data(), &length, prefix.size());

  std::vector<std::string_view> pieces = {{prefix.data(), prefix.size()}, header};
  for (const auto& [name, tensor] : ordered) pieces.push_back(bytes_view(tensor));
  write_file_atomically(path, pieces);
}

}  // namespace rlhf::io
