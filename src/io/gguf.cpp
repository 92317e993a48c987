#include "rlhf/io/gguf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "gguf_blocks.hpp"
#include "gguf_cursor.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/json.hpp"

namespace rlhf::io {
namespace {

constexpr std::string_view magic = "GGUF";
constexpr uint32_t oldest_version = 2;
constexpr uint32_t newest_version = 3;
constexpr const char* alignment_key = "general.alignment";
constexpr const char* parts_key = "split.count";
constexpr int64_t default_alignment = 32;
constexpr int64_t largest = std::numeric_limits<int64_t>::max();

void require_version(GgufCursor& cursor, const std::string& file) {
  if (cursor.take(magic.size(), "magic") != magic) {
    fail(file + ": magic", "GGUF", "another file's");
  }
  const auto version = cursor.number<uint32_t>("version");
  require((version & 0xFFFF) != 0 || version == 0, file + ": byte order", "little-endian",
          "big-endian");
  require(version >= oldest_version && version <= newest_version, file + ": version", "2 or 3",
          fmt::format("{}", version));
}

/// A count that the file begins with, and that it is not short enough to disprove at once.
int64_t count_of(GgufCursor& cursor, const char* what, int64_t limit, const std::string& file) {
  const auto count = cursor.number<uint64_t>(what);
  require(count <= static_cast<uint64_t>(limit), fmt::format("{}: {}", file, what),
          fmt::format("<= {}", limit), fmt::format("{}", count));
  return static_cast<int64_t>(count);
}

int64_t aligned(int64_t offset, int64_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

/// What the header says of one tensor; `begin` is still counted from the start of the data.
GgufTensor read_tensor(GgufCursor& cursor, int64_t number, const std::string& file) {
  GgufTensor tensor{.name = cursor.name(fmt::format("name of tensor {}", number))};
  const std::string what = fmt::format("tensor {}", quote(tensor.name));
  const std::string where = fmt::format("{}: {}", file, what);
  const auto dimensions = cursor.number<uint32_t>(what);
  require(dimensions <= max_gguf_dimensions, where + ": dimensions",
          fmt::format("<= {}", max_gguf_dimensions), fmt::format("{}", dimensions));
  int64_t count = 1;
  for (uint32_t d = 0; d < dimensions; ++d) {
    const auto size = cursor.number<uint64_t>(what);
    require(size >= 1 && size <= uint64_t{largest}, where + ": size", "1 to 2^63 - 1",
            fmt::format("{}", size));
    tensor.shape.push_back(static_cast<int64_t>(size));
  }
  const int64_t row = tensor.shape.empty() ? 1 : tensor.shape.front();
  std::reverse(tensor.shape.begin(), tensor.shape.end());
  for (const int64_t size : tensor.shape) {
    // Eight: no type takes more bytes a number.
    require(!__builtin_mul_overflow(count, size, &count) && count <= largest / 8, where + ": shape",
            "fewer than 2^60 numbers", tensor.shape);
  }
  const auto id = cursor.number<uint32_t>(what);
  const BlockFormat* format = block_format(id);
  require(format != nullptr, where + ": type", "one that GGUF has", fmt::format("{}", id));
  tensor.type = format->name;
  require(row % format->numbers == 0, where + ": row",
          fmt::format("a multiple of {}, the block of {}", format->numbers, format->name), row);
  tensor.bytes = count / format->numbers * format->bytes;
  const auto offset = cursor.number<uint64_t>(what);
  require(offset <= uint64_t{largest}, where + ": offset", "< 2^63", fmt::format("{}", offset));
  tensor.begin = static_cast<int64_t>(offset);
  return tensor;
}

/// The data must be covered: a tensor begins where the one before it ends, but for the padding.
void require_covered(const std::vector<GgufTensor>& tensors, int64_t data_bytes, int64_t alignment,
                     const std::string& file) {
  std::vector<const GgufTensor*> ordered;
  for (const GgufTensor& tensor : tensors) ordered.push_back(&tensor);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const GgufTensor* a, const GgufTensor* b) { return a->begin < b->begin; });
  int64_t end = 0;
  for (const GgufTensor* tensor : ordered) {
    const std::string where = fmt::format("{}: tensor {}", file, quote(tensor->name));
    require(tensor->begin % alignment == 0, where + ": offset",
            fmt::format("a multiple of {}", alignment), tensor->begin);
    require(tensor->begin == aligned(end, alignment), where + ": offset",
            fmt::format("{}, where the tensor before it ends", aligned(end, alignment)),
            tensor->begin);
    require(tensor->bytes <= data_bytes - std::min(tensor->begin, data_bytes), where,
            fmt::format("inside the {} bytes of data in the file", data_bytes),
            fmt::format("{} from {} on", tensor->bytes, tensor->begin));
    end = tensor->begin + tensor->bytes;
  }
  require(data_bytes <= aligned(end, alignment), file + ": bytes of data", aligned(end, alignment),
          data_bytes);
}

const BlockFormat& decodable_format(const GgufTensor& tensor, const std::string& file) {
  const BlockFormat* format = block_format(tensor.type);
  if (format == nullptr || format->decode == nullptr) {
    fail(fmt::format("{}: tensor {}: type", file, quote(tensor.name)), decodable_types(),
         tensor.type);
  }
  return *format;
}

}  // namespace

int64_t GgufTensor::count() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

GgufFile::GgufFile(MappedFile mapped) : file_(std::move(mapped)) {
  const std::string file = path().string();
  metadata_.file_ = file;
  GgufCursor cursor(file_.bytes(), file);
  require_version(cursor, file);
  const int64_t tensor_count = count_of(cursor, "number of tensors", max_gguf_tensors, file);
  const int64_t metadata_count = count_of(cursor, "number of metadata", max_gguf_metadata, file);

  for (int64_t i = 0; i < metadata_count; ++i) {
    std::string key = cursor.name(fmt::format("key {} of the metadata", i));
    const std::string what = fmt::format("metadata {}", quote(key));
    const uint32_t type = cursor.type(what);
    const size_t begin = cursor.offset();
    cursor.skip(type, what);
    const bool added =
        metadata_.values_.emplace(std::move(key), GgufMetadata::Value{type, cursor.since(begin)})
            .second;
    require(added, fmt::format("{}: {}", file, what), "a key of its own", "an earlier key");
  }
  for (int64_t i = 0; i < tensor_count; ++i) {
    GgufTensor tensor = read_tensor(cursor, i, file);
    require(places_.emplace(tensor.name, tensors_.size()).second,
            fmt::format("{}: tensor {}", file, quote(tensor.name)), "a name of its own",
            "the name of an earlier tensor");
    tensors_.push_back(std::move(tensor));
  }

  const int64_t alignment =
      metadata_.contains(alignment_key) ? metadata_.integer(alignment_key) : default_alignment;
  require(alignment >= 1 && alignment <= (int64_t{1} << 30) && (alignment & (alignment - 1)) == 0,
          metadata_.place(alignment_key), "a power of two <= 2^30", alignment);
  const int64_t parts = metadata_.contains(parts_key) ? metadata_.integer(parts_key) : 1;
  require(parts <= 1, metadata_.place(parts_key),
          "a file of one part (llama.cpp's gguf-split --merge joins them)", parts);
  const int64_t data_begin = aligned(static_cast<int64_t>(cursor.offset()), alignment);
  require_covered(tensors_, std::max<int64_t>(file_.size() - data_begin, 0), alignment, file);
  for (GgufTensor& tensor : tensors_) tensor.begin += data_begin;
}

const GgufTensor& GgufFile::tensor(std::string_view name) const {
  const auto place = places_.find(name);
  require(place != places_.end(), path().string(), fmt::format("a tensor {}", quote(name)), "none");
  return tensors_[place->second];
}

void GgufFile::require_readable() const {
  const std::string file = path().string();
  for (const GgufTensor& tensor : tensors_) decodable_format(tensor, file);
}

void GgufFile::read(std::string_view name, std::span<float> numbers) const {
  const GgufTensor& wanted = tensor(name);
  const BlockFormat& format = decodable_format(wanted, path().string());
  require(static_cast<int64_t>(numbers.size()) == wanted.count(),
          fmt::format("{}: tensor {}: numbers to fill", path().string(), quote(name)),
          wanted.count(), numbers.size());
  const std::string_view bytes = file_.slice(wanted.begin, wanted.bytes);
  format.decode(reinterpret_cast<const uint8_t*>(bytes.data()), wanted.bytes / format.bytes,
                numbers.data());
}

}  // namespace rlhf::io
