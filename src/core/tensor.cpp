#include "rlhf/core/tensor.hpp"

#include "rlhf/core/error.hpp"

namespace rlhf {

void require_shape(const Tensor& tensor, at::IntArrayRef sizes, std::string_view name,
                   std::source_location where) {
  if (!tensor.defined()) fail(name, detail::show(sizes), "no tensor", where);
  require(tensor.sizes() == sizes, name, sizes, tensor.sizes(), where);
}

void require_dtype(const Tensor& tensor, at::ScalarType dtype, std::string_view name,
                   std::source_location where) {
  if (!tensor.defined()) fail(name, c10::toString(dtype), "no tensor", where);
  require(tensor.scalar_type() == dtype, name, c10::toString(dtype),
          c10::toString(tensor.scalar_type()), where);
}

}  // namespace rlhf
