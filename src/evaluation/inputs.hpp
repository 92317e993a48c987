/// What the evaluations are given, checked once and read as plain numbers.
#pragma once

#include <string_view>
#include <vector>

#include "rlhf/core/tensor.hpp"

namespace rlhf::evaluation {

/// A floating [n], n >= 1. @throws Error naming the first NaN's place
std::vector<double> numbers_of(const Tensor& tensor, std::string_view name);

/// A bool tensor [count].
std::vector<bool> flags_of(const Tensor& tensor, size_t count, std::string_view name);

}  // namespace rlhf::evaluation
