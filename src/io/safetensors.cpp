#include "rlhf/io/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "rlhf/core/error.hpp"
#include "rlhf/io/json.hpp"

namespace rlhf::io {
namespace {

namespace fs = std::filesystem;

struct TorchType {
  at::ScalarType type;
  Dtype dtype;
};
constexpr std::array<TorchType, 10> torch_types = {{{at::kDouble, Dtype::f64},
                                                    {at::kFloat, Dtype::f32},
                                                    {at::kHalf, Dtype::f16},
                                                    {at::kBFloat16, Dtype::bf16},
                                                    {at::kLong, Dtype::i64},
                                                    {at::kInt, Dtype::i32},
                                                    {at::kShort, Dtype::i16},
                                                    {at::kChar, Dtype::i8},
                                                    {at::kByte, Dtype::u8},
                                                    {at::kBool, Dtype::boolean}}};

at::ScalarType torch_type_of(Dtype dtype) {
  return std::find_if(torch_types.begin(), torch_types.end(),
                      [&](const TorchType& t) { return t.dtype == dtype; })
      ->type;
}

Dtype dtype_of(const Tensor& tensor, const std::string& where) {
  const auto known = std::find_if(torch_types.begin(), torch_types.end(), [&](const TorchType& t) {
    return t.type == tensor.scalar_type();
  });
  require(known != torch_types.end(), where + ": dtype", known_dtypes(),
          c10::toString(tensor.scalar_type()));
  return known->dtype;
}

std::string_view bytes_view(const Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()};
}

}  // namespace

Safetensors read_safetensors(const fs::path& path) {
  return read_safetensors(MappedFile(path));
}

Safetensors read_safetensors(const MappedFile& file) {
  SafetensorsHeader header = read_safetensors_header(file);
  Safetensors result{.tensors = {}, .metadata = std::move(header.metadata)};
  for (const SafetensorsEntry& entry : header.entries) {
    const std::string_view bytes = header.bytes_of(entry, file);
    const bool is_bool = entry.dtype == Dtype::boolean;
    require(!is_bool ||
                std::all_of(bytes.begin(), bytes.end(), [](char b) { return b == 0 || b == 1; }),
            fmt::format("{}: tensor {}", file.path().string(), quote(entry.name)), "bytes 0 and 1",
            "another byte");
    const Tensor tensor = torch::empty(entry.shape, torch_type_of(entry.dtype));
    if (!bytes.empty()) std::memcpy(tensor.mutable_data_ptr(), bytes.data(), bytes.size());
    result.tensors.emplace_back(entry.name, tensor);
  }
  return result;
}

StorableTensors::StorableTensors(const std::vector<NamedTensor>& tensors, std::string_view where) {
  for (const auto& [name, tensor] : tensors) {
    const std::string place = fmt::format("{}: tensor {}", where, quote(name));
    require(tensor.defined(), place, "a tensor", "none");
    require(tensor.layout() == at::kStrided, place + ": layout", "dense", "another");
    const Dtype dtype = dtype_of(tensor, place);
    kept_.push_back(tensor.detach().to(torch::kCPU).contiguous());
    bytes_.push_back({.name = name,
                      .dtype = dtype,
                      .shape = kept_.back().sizes().vec(),
                      .bytes = bytes_view(kept_.back())});
  }
}

Written write_safetensors(const fs::path& path, const std::vector<NamedTensor>& tensors,
                          const std::map<std::string, std::string>& metadata) {
  return write_tensor_bytes(path, StorableTensors(tensors, path.string()).bytes(), metadata);
}

}  // namespace rlhf::io
