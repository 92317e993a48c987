/// Stored tensors into the parameters they were stored from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rlhf/core/tensor.hpp"

namespace rlhf::io {

/// The tensors whose names begin with `prefix`, without it.
std::vector<NamedTensor> with_prefix(const std::vector<NamedTensor>& tensors,
                                     std::string_view prefix);

/// Copies into each parameter the tensor called `prefix` and its name. All or nothing: names,
/// shapes and types are compared first.
/// @param what    begins the message
/// @throws Error  listing parameters without a tensor, tensors under the prefix without a
///                parameter, and those whose shape or type differs
void assign(const std::vector<NamedTensor>& parameters, const std::vector<NamedTensor>& tensors,
            std::string_view what, std::string_view prefix = "");

/// The comparison alone. @throws Error as assign()
void require_fit(const std::vector<NamedTensor>& parameters,
                 const std::vector<NamedTensor>& tensors, std::string_view what,
                 std::string_view prefix = "");

/// Tells whether tensors are those of another time: "crc32c:" and 8 hexadecimal digits of their
/// names, types, shapes and bytes.
std::string fingerprint(const std::vector<NamedTensor>& tensors);

}  // namespace rlhf::io
