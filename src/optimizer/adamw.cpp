#include "rlhf/optimizer/adamw.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "../kernels/kernels.hpp"
#include "../kernels/team.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/core/non_finite.hpp"

namespace rlhf {
namespace {

constexpr const char* first_suffix = ".first_moment";
constexpr const char* second_suffix = ".second_moment";
constexpr const char* step_suffix = ".step";

void require_parameter(const NamedTensor& parameter, at::Device device) {
  const auto& [name, tensor] = parameter;
  const std::string what = "parameter '" + name + "' of AdamW";
  if (!tensor.defined()) fail(what, "a tensor", "no tensor");
  require(tensor.is_floating_point(), what, "a floating type", c10::toString(tensor.scalar_type()));
  require(tensor.is_leaf(), what, "a leaf of the graph", "a computed tensor");
  require(tensor.device() == device, what, device.str(), tensor.device().str());
}

/// The parameters without those that stand under a second name.
std::vector<NamedTensor> unique(const std::vector<NamedTensor>& parameters) {
  std::unordered_set<const void*> tensors;
  std::unordered_set<std::string_view> names;
  std::vector<NamedTensor> result;
  for (const NamedTensor& parameter : parameters) {
    if (!tensors.insert(parameter.second.unsafeGetTensorImpl()).second) continue;
    require(names.insert(parameter.first).second, "parameters of AdamW", "a name for each",
            "'" + parameter.first + "' for two tensors");
    result.push_back(parameter);
  }
  return result;
}

/// As LibTorch's kernel and checkpoints have it.
Tensor step_count(int64_t steps, const Tensor& parameter) {
  return at::full({}, static_cast<double>(steps), parameter.options().dtype(at::kFloat));
}

/// Whether the kernels take all of these as flat arrays of float32.
bool can_fuse(const std::vector<Tensor>& tensors) {
  return std::ranges::all_of(tensors, [](const Tensor& tensor) {
    return tensor.is_cpu() && tensor.scalar_type() == at::kFloat &&
           tensor.is_non_overlapping_and_dense();
  });
}

/// Calls work(member, tensor, begin, end) for all numbers of all tensors, on as many threads as
/// they keep busy: an equal part for each.
void share(const std::vector<Tensor>& tensors,
           const std::function<void(const kernels::Member&, size_t, int64_t, int64_t)>& work) {
  constexpr int64_t numbers_a_row = 1024, line = 16;  // of work as threads_for() counts it
  const int64_t all =
      std::accumulate(tensors.begin(), tensors.end(), int64_t{0},
                      [](int64_t sum, const Tensor& tensor) { return sum + tensor.numel(); });
  kernels::run_team(kernels::threads_for(all / numbers_a_row), [&](const kernels::Member& member) {
    const auto [from, to] = member.part(all, line);
    int64_t before = 0;
    for (size_t i = 0; i < tensors.size(); ++i) {
      const int64_t count = tensors[i].numel();
      const int64_t begin = std::clamp<int64_t>(from - before, 0, count);
      const int64_t end = std::clamp<int64_t>(to - before, 0, count);
      if (begin < end) work(member, i, begin, end);
      before += count;
    }
  });
}

double norm_of(const std::vector<Tensor>& tensors) {
  if (!can_fuse(tensors)) return at::stack(at::_foreach_norm(tensors)).norm().item<double>();
  std::vector<double> squares(static_cast<size_t>(at::get_num_threads()));  // by rank
  share(tensors, [&](const kernels::Member& member, size_t i, int64_t begin, int64_t end) {
    squares[static_cast<size_t>(member.rank)] +=
        kernels::kernels().sum_of_squares(tensors[i].const_data_ptr<float>() + begin, end - begin);
  });
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
}

void require_number(double value, bool ok, std::string_view name, std::string_view expected) {
  require(ok && std::isfinite(value), name, expected, value);
}

}  // namespace

void AdamWOptions::validate() const {
  require_number(learning_rate, learning_rate > 0, "AdamWOptions::learning_rate", "> 0");
  require_number(beta1, beta1 >= 0 && beta1 < 1, "AdamWOptions::beta1", "in [0, 1)");
  require_number(beta2, beta2 >= 0 && beta2 < 1, "AdamWOptions::beta2", "in [0, 1)");
  require_number(epsilon, epsilon > 0, "AdamWOptions::epsilon", "> 0");
  require_number(weight_decay, weight_decay >= 0, "AdamWOptions::weight_decay", ">= 0");
  require_number(max_gradient_norm, max_gradient_norm >= 0, "AdamWOptions::max_gradient_norm",
                 ">= 0 (0: no clipping)");
}

void AdamWOptions::archive(Archive& archive) const {
  archive.option("learning_rate", learning_rate);
  archive.option("beta1", beta1);
  archive.option("beta2", beta2);
  archive.option("epsilon", epsilon);
  archive.option("weight_decay", weight_decay);
  archive.option("max_gradient_norm", max_gradient_norm);
}

/// Of the parameters that have one, in the parameters' memory layout.
struct AdamW::Gradients {
  std::vector<size_t> rows;  // into parameters_
  std::vector<Tensor> tensors;
};

AdamW::AdamW(std::vector<NamedTensor> parameters, AdamWOptions options) : options_(options) {
  options_.validate();
  require(!parameters.empty(), "parameters of AdamW", ">= 1", "none");
  for (const NamedTensor& parameter : parameters) {
    const Tensor& first = parameters.front().second;
    require_parameter(parameter, first.defined() ? first.device() : at::Device(at::kCPU));
  }
  parameters_ = unique(parameters);
  moments_.resize(parameters_.size());
}

AdamW::Gradients AdamW::gradients() const {
  Gradients result;
  for (size_t row = 0; row < parameters_.size(); ++row) {
    const Tensor& parameter = parameters_[row].second;
    if (!parameter.requires_grad() || !parameter.grad().defined()) continue;
    Tensor gradient = parameter.grad();
    // The fused kernel walks parameter and gradient as one flat array.
    if (gradient.strides() != parameter.strides()) {
      gradient = at::empty_like(parameter).copy_(gradient);
    }
    result.rows.push_back(row);
    result.tensors.push_back(gradient);
  }
  return result;
}

double AdamW::step(double learning_rate_factor) {
  require_number(learning_rate_factor, learning_rate_factor >= 0, "learning_rate_factor", ">= 0");
  const NoGrad no_grad;
  Gradients gradients = this->gradients();
  const double norm = this->norm(gradients);
  update(gradients, norm, options_.learning_rate * learning_rate_factor);
  zero_grad();
  return norm;
}

double AdamW::gradient_norm() const {
  const NoGrad no_grad;
  return norm(gradients());
}

double AdamW::norm(const Gradients& gradients) const {
  require(!gradients.rows.empty(), "gradients of AdamW::step", "at least one: run backward first",
          "none");
  const double norm = norm_of(gradients.tensors);
  if (std::isfinite(norm)) return norm;
  for (size_t i = 0; i < gradients.rows.size(); ++i) {
    if (gradients.tensors[i].isfinite().all().item<bool>()) continue;
    fail_non_finite("gradient of parameter '" + parameters_[gradients.rows[i]].first + "'",
                    "NaN or infinity");
  }
  // All finite: their squares alone overflowed.
  const double wide =
      at::stack(at::_foreach_norm(gradients.tensors, 2, at::kDouble)).norm().item<double>();
  if (!std::isfinite(wide)) fail_non_finite("norm of all gradients", "NaN or infinity");
  return wide;
}

void AdamW::update(const Gradients& gradients, double norm, double learning_rate) {
  const double clipped = options_.max_gradient_norm / (norm + 1e-6);
  const bool clips = options_.max_gradient_norm > 0 && clipped < 1;
  std::vector<Tensor> parameters, first, second;
  for (const size_t row : gradients.rows) {
    const Tensor& parameter = parameters_[row].second;
    Moments& moments = moments_[row];
    if (moments.steps++ == 0) {
      moments.first = at::zeros_like(parameter);
      moments.second = at::zeros_like(parameter);
    }
    parameters.push_back(parameter);
    first.push_back(moments.first);
    second.push_back(moments.second);
  }
  const auto decay = [&](const Tensor& parameter) {
    return parameter.dim() >= 2 ? options_.weight_decay : 0.0;
  };
  if (!can_fuse(parameters)) {
    if (clips) at::_foreach_mul_(gradients.tensors, clipped);
    for (const bool matrices : {true, false}) {
      std::vector<Tensor> moved, by, means, squares, steps;
      for (size_t i = 0; i < parameters.size(); ++i) {
        if ((parameters[i].dim() >= 2) != matrices) continue;
        moved.push_back(parameters[i]);
        by.push_back(gradients.tensors[i]);
        means.push_back(first[i]);
        squares.push_back(second[i]);
        steps.push_back(step_count(moments_[gradients.rows[i]].steps, parameters[i]));
      }
      if (moved.empty()) continue;
      at::_fused_adamw_(moved, by, means, squares, /*max_exp_avg_sqs=*/{}, steps, learning_rate,
                        options_.beta1, options_.beta2, decay(moved.front()), options_.epsilon,
                        /*amsgrad=*/false, /*maximize=*/false);
    }
  } else {
    std::vector<kernels::AdamWStep> steps;
    for (size_t i = 0; i < parameters.size(); ++i) {
      const auto count = static_cast<double>(moments_[gradients.rows[i]].steps);
      const double size = learning_rate / (1 - std::pow(options_.beta1, count));
      const double second_scale = 1 / std::sqrt(1 - std::pow(options_.beta2, count));
      steps.push_back({.gradient_scale = static_cast<float>(clips ? clipped : 1),
                       .beta1 = static_cast<float>(options_.beta1),
                       .beta2 = static_cast<float>(options_.beta2),
                       .decay = static_cast<float>(1 - learning_rate * decay(parameters[i])),
                       .size = static_cast<float>(size),
                       .second_scale = static_cast<float>(second_scale),
                       .epsilon = static_cast<float>(options_.epsilon)});
    }
    share(parameters, [&](const kernels::Member&, size_t i, int64_t begin, int64_t end) {
      kernels::kernels().adamw(
          steps[i], end - begin, gradients.tensors[i].const_data_ptr<float>() + begin,
          parameters[i].data_ptr<float>() + begin, first[i].data_ptr<float>() + begin,
          second[i].data_ptr<float>() + begin);
    });
  }
  // It is written behind autograd's back; checkpoints and packed weights go by the versions.
  for (const Tensor& parameter : parameters) parameter.unsafeGetTensorImpl()->bump_version();
}

void AdamW::zero_grad() {
  for (auto& [name, parameter] : parameters_) parameter.mutable_grad().reset();
}

std::vector<NamedTensor> AdamW::state() const {
  std::vector<NamedTensor> copies = borrowed_state();
  for (auto& [name, tensor] : copies) tensor = tensor.clone();
  return copies;
}

std::vector<NamedTensor> AdamW::borrowed_state() const {
  std::vector<NamedTensor> result;
  for (size_t row = 0; row < parameters_.size(); ++row) {
    const Moments& moments = moments_[row];
    if (moments.steps == 0) continue;
    const std::string& name = parameters_[row].first;
    result.emplace_back(name + first_suffix, moments.first);
    result.emplace_back(name + second_suffix, moments.second);
    result.emplace_back(name + step_suffix, step_count(moments.steps, parameters_[row].second));
  }
  return result;
}

void AdamW::load_state(const std::vector<NamedTensor>& state) {
  moments_ = moments_from(state);
}

void AdamW::archive(Archive& archive) {
  options_.archive(archive);
  archive.tensors(
      "state", [this] { return borrowed_state(); },
      [this](const std::vector<NamedTensor>& state) { moments_from(state); },
      [this](const std::vector<NamedTensor>& state) { load_state(state); });
}

std::vector<AdamW::Moments> AdamW::moments_from(const std::vector<NamedTensor>& state) const {
  std::unordered_map<std::string_view, Tensor> given;
  for (const auto& [name, tensor] : state) given.emplace(name, tensor);

  // A copy in the layout, type and place of `like`.
  const auto take = [&](const std::string& name, const Tensor& like) {
    const auto found = given.find(name);
    require(found != given.end(), "state of AdamW", "'" + name + "'", "none");
    require_shape(found->second, like.sizes(), "'" + name + "' of the state of AdamW");
    require_dtype(found->second, like.scalar_type(), "'" + name + "' of the state of AdamW");
    const Tensor copy = at::empty_like(like).copy_(found->second);
    given.erase(found);
    return copy;
  };

  const NoGrad no_grad;
  std::vector<Moments> loaded(parameters_.size());
  for (size_t row = 0; row < parameters_.size(); ++row) {
    const auto& [name, parameter] = parameters_[row];
    const auto holds = [&, &name = name](const char* suffix) {
      return given.contains(name + suffix);
    };
    if (!holds(first_suffix) && !holds(second_suffix) && !holds(step_suffix)) continue;
    const Tensor scalar = at::zeros({}, parameter.options().dtype(at::kFloat));
    const auto steps = take(name + step_suffix, scalar).item<float>();
    require(steps >= 1 && steps < 1e15F && steps == std::floor(steps),
            "'" + name + step_suffix + "' of the state of AdamW", "a whole number >= 1", steps);
    loaded[row] = {.first = take(name + first_suffix, parameter),
                   .second = take(name + second_suffix, parameter),
                   .steps = static_cast<int64_t>(steps)};
  }
  if (!given.empty()) {
    fail("state of AdamW", "entries of its parameters",
         "'" + std::string(given.begin()->first) + "'");
  }
  return loaded;
}

}  // namespace rlhf
