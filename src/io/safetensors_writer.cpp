#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/io/safetensors_layout.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf::io {
namespace {

using nlohmann::json;

constexpr std::string_view key_of_metadata = "__metadata__";

/// The tensors as they will lie in the file: checked, wider types first.
std::vector<TensorBytes> in_file_order(const std::filesystem::path& path,
                                       std::span<const TensorBytes> tensors) {
  std::set<std::string_view> seen;
  for (const TensorBytes& tensor : tensors) {
    const std::string where = fmt::format("{}: tensor {}", path.string(), quote(tensor.name));
    require_utf8(tensor.name, where);
    require(tensor.name != key_of_metadata, where, "another name", quote(tensor.name));
    require(seen.insert(tensor.name).second, where, "a name of its own",
            "the name of an earlier tensor");
    int64_t bytes = bytes_of(tensor.dtype);
    for (const int64_t size : tensor.shape) {
      require(size >= 0 && !__builtin_mul_overflow(bytes, size, &bytes), where + ": shape",
              "sizes >= 0 and fewer than 2^63 bytes", tensor.shape);
    }
    require(static_cast<int64_t>(tensor.bytes.size()) == bytes, where + ": bytes", bytes,
            tensor.bytes.size());
  }
  std::vector<TensorBytes> ordered(tensors.begin(), tensors.end());
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return bytes_of(a.dtype) > bytes_of(b.dtype);
  });
  return ordered;
}

std::string header_text(const std::filesystem::path& path, const std::vector<TensorBytes>& ordered,
                        const std::map<std::string, std::string>& metadata) {
  std::string text;
  if (!metadata.empty()) {
    for (const auto& [key, value] : metadata) {
      require_utf8(key, fmt::format("{}: metadata key", path.string()));
      require_utf8(value, fmt::format("{}: metadata {}", path.string(), quote(key)));
    }
    text += fmt::format("\"{}\":{}", key_of_metadata, json(metadata).dump());
  }
  size_t offset = 0;
  for (const TensorBytes& tensor : ordered) {
    const size_t end = offset + tensor.bytes.size();
    text += fmt::format("{}{}:{{\"dtype\":\"{}\",\"shape\":{},\"data_offsets\":[{},{}]}}",
                        text.empty() ? "" : ",", json(tensor.name).dump(), name_of(tensor.dtype),
                        json(tensor.shape).dump(), offset, end);
    offset = end;
  }
  text = "{" + text + "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

Written write_tensor_bytes(const std::filesystem::path& path, std::span<const TensorBytes> tensors,
                           const std::map<std::string, std::string>& metadata) {
  const std::vector<TensorBytes> ordered = in_file_order(path, tensors);
  const std::string header = header_text(path, ordered, metadata);
  const uint64_t length = header.size();
  std::array<char, sizeof length> prefix;
  std::memcpy(prefix.data(), &length, prefix.size());

  std::vector<std::string_view> pieces = {{prefix.data(), prefix.size()}, header};
  for (const TensorBytes& tensor : ordered) pieces.push_back(tensor.bytes);
  return write_file_atomically(path, pieces);
}

}  // namespace rlhf::io
