#include "rlhf/model/scalar_head.hpp"

namespace rlhf {

ScalarModel::ScalarModel(const Transformer& trunk, double std, Generator& generator)
    : ScalarModel(trunk.clone(), std, generator) {}

ScalarModel::ScalarModel(Transformer&& trunk, double std, Generator& generator)
    : trunk_(std::move(trunk)) {
  const auto options = trunk_.embedding().options().requires_grad(false);
  weight_ = torch::zeros({1, trunk_.config().dim}, options);
  if (std > 0) generator.fill_normal(weight_, 0.0, std);
  weight_.requires_grad_();
  bias_ = torch::zeros({1}, options).requires_grad_();
}

ScalarModel ScalarModel::clone() const {
  return {trunk_.clone(), weight_.detach().clone().requires_grad_(),
          bias_.detach().clone().requires_grad_()};
}

ScalarModel ScalarModel::with_adapters(const LoraOptions& options, Generator& generator) const {
  return {trunk_.with_adapters(options, generator), weight_.detach().clone().requires_grad_(),
          bias_.detach().clone().requires_grad_()};
}

ScalarModel ScalarModel::merged() const {
  return {trunk_.merged(), weight_.detach().clone().requires_grad_(),
          bias_.detach().clone().requires_grad_()};
}

Tensor ScalarModel::at(const Completions& completions, const Tensor& positions) const {
  return torch::linear(trunk_.hidden(completions, positions), weight_, bias_).squeeze(1);
}

std::vector<NamedTensor> ScalarModel::named_parameters() const {
  auto named = trunk_.named_parameters();
  named.emplace_back("head.weight", weight_);
  named.emplace_back("head.bias", bias_);
  return named;
}

void ScalarModel::shift(double amount) {
  NoGrad no_grad;
  bias_.add_(amount);
}

void ScalarModel::to(at::ScalarType dtype) {
  trunk_.to(dtype);
  weight_ = weight_.detach().to(dtype).requires_grad_();
  bias_ = bias_.detach().to(dtype).requires_grad_();
}

void ScalarModel::to(at::Device device) {
  trunk_.to(device);
  weight_ = weight_.detach().to(device).requires_grad_();
  bias_ = bias_.detach().to(device).requires_grad_();
}

TokenOutputs ValueModel::evaluate(const Completions& completions, const EvaluateOptions&) const {
  const Tensor flat = model_.at(completions, response_positions(completions) - 1);
  TokenOutputs outputs;
  outputs.values = pad_responses(flat, completions);
  return outputs;
}

}  // namespace rlhf
