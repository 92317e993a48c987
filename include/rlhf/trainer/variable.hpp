/// Trainers borrow what they are given; this tells a variable from a temporary.
#pragma once

#include <type_traits>

namespace rlhf::trainer {

/// Every T, deduced from a `T&&` parameter, stands for a variable.
template <class... T>
concept Variable = (std::is_lvalue_reference_v<T> && ...);

}  // namespace rlhf::trainer
