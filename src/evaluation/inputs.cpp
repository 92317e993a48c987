#include "inputs.hpp"

#include <fmt/format.h>

#include <cmath>

#include "rlhf/core/error.hpp"

namespace rlhf::evaluation {

std::vector<double> numbers_of(const Tensor& tensor, std::string_view name) {
  require(tensor.defined() && tensor.is_floating_point(), name, "a floating type",
          tensor.defined() ? c10::toString(tensor.scalar_type()) : "no tensor");
  require(tensor.dim() == 1 && tensor.size(0) >= 1, name, "[n], n >= 1", tensor.sizes());
  const Tensor exact = tensor.detach().to(torch::kCPU, torch::kFloat64).contiguous();
  const double* begin = exact.const_data_ptr<double>();
  std::vector<double> numbers(begin, begin + exact.numel());
  for (size_t i = 0; i < numbers.size(); ++i) {
    require(!std::isnan(numbers[i]), fmt::format("{}, number {}", name, i), "no NaN", numbers[i]);
  }
  return numbers;
}

std::vector<bool> flags_of(const Tensor& tensor, size_t count, std::string_view name) {
  require_dtype(tensor, torch::kBool, name);
  require_shape(tensor, {static_cast<int64_t>(count)}, name);
  const Tensor flags = tensor.to(torch::kCPU).contiguous();
  const bool* begin = flags.const_data_ptr<bool>();
  return std::vector<bool>(begin, begin + count);
}

}  // namespace rlhf::evaluation
