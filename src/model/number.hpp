/// The kernels' word for a precision.
#pragma once

#include "../kernels/kernels.hpp"
#include "rlhf/model/precision.hpp"

namespace rlhf::model {

constexpr kernels::Number number_of(Precision precision) {
  switch (precision) {
    case Precision::bfloat16:
      return kernels::Number::bfloat16;
    case Precision::int8:
      return kernels::Number::int8;
    case Precision::float32:
      break;
  }
  return kernels::Number::float32;
}

}  // namespace rlhf::model
