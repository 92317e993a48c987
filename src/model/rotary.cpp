#include "rotary.hpp"

#include <numbers>

namespace rlhf::model {

Tensor rotary_frequencies(const TransformerConfig& config) {
  const int64_t size = config.head_size();
  const Tensor exponents = torch::arange(0, size, 2, torch::kFloat64) / size;
  const Tensor fast = torch::pow(config.rope_base, -exponents);
  const RopeScaling& scaling = config.rope_scaling;
  if (scaling.factor == 1) return fast;
  const Tensor turns =
      fast * static_cast<double>(scaling.original_context) / (2 * std::numbers::pi);
  const Tensor share = ((turns - scaling.low) / (scaling.high - scaling.low)).clamp(0, 1);
  return fast * (share + (1 - share) / scaling.factor);
}

}  // namespace rlhf::model
