/// Reading the list of weight parts from a file that names its tensors, GGUF or a Hugging Face
/// folder, which offer the same three things: tensors(), contains() and read().
#pragma once

#include <fmt/format.h>

#include <set>

#include "rlhf/core/error.hpp"
#include "weight_names.hpp"

namespace rlhf::model {

/// Before anything is made of a shape that asks for far more than the file holds. Which tensor is
/// at fault is found later, by name; so this is generous.
template <class File>
void require_numbers_for(const TransformerConfig& config, const File& file,
                         const std::string& place) {
  double stored = 0;
  for (const auto& tensor : file.tensors()) stored += static_cast<double>(tensor.count());
  const double numbers = numbers_of(config);
  require(numbers <= 2 * stored + (1 << 24), place + ": numbers in all tensors",
          fmt::format("enough for the {:.0f} that the model's shape takes", numbers),
          fmt::format("{:.0f}", stored));
}

/// @throws Error naming a tensor that is missing, ill-shaped, or there and none of the parts
template <class File>
void require_parts(const File& file, const std::string& place, const std::vector<WeightPart>& parts,
                   std::set<std::string> passed_over) {
  for (const WeightPart& part : parts) {
    require(file.contains(part.name), place, "a tensor \"" + part.name + "\"", "none");
    const std::vector<int64_t> shape = part.shape();
    require(file.tensor(part.name).shape == shape, place + ": shape of \"" + part.name + "\"",
            at::IntArrayRef(shape), at::IntArrayRef(file.tensor(part.name).shape));
    passed_over.insert(part.name);
  }
  for (const auto& tensor : file.tensors()) {
    require(passed_over.contains(tensor.name), place, "no tensor that the model has no place for",
            "\"" + tensor.name + "\"");
  }
}

template <class File>
void read_parts(const File& file, const std::vector<WeightPart>& parts) {
  for (const WeightPart& part : parts) {
    const Tensor there = part.transposed ? torch::empty(part.shape()) : part.rows;
    file.read(part.name, {there.data_ptr<float>(), static_cast<size_t>(there.numel())});
    if (part.transposed) part.rows.copy_(there.t());
  }
}

}  // namespace rlhf::model
