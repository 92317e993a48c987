#include "rlhf/model/layers.hpp"

namespace rlhf::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// One graph node a piece: the composite forms would record five to ten each.

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight,
                        double epsilon) {
    const Tensor scale = x.square().mean(-1, true).add_(epsilon).rsqrt_();
    ctx->save_for_backward({x, weight, scale});
    return (x * scale).mul_(weight);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &scale = saved[2];
    const Tensor normed = x * scale;
    const Tensor weight_gradient =
        ctx->needs_input_grad(1) ? (gradients[0] * normed).flatten(0, -2).sum(0) : Tensor();
    if (!ctx->needs_input_grad(0)) return {Tensor(), weight_gradient, Tensor()};
    Tensor g = gradients[0] * weight;
    const Tensor projection = (g * normed).mean(-1, true);
    return {g.sub_(normed * projection).mul_(scale), weight_gradient, Tensor()};
  }
};

struct SwiGlu : torch::autograd::Function<SwiGlu> {
  static Tensor forward(AutogradContext* ctx, const Tensor& gate_up) {
    ctx->save_for_backward({gate_up});
    const int64_t width = gate_up.size(1) / 2;
    return torch::silu(gate_up.narrow(1, 0, width)).mul_(gate_up.narrow(1, width, width));
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const Tensor gate_up = ctx->get_saved_variables()[0];
    const int64_t width = gate_up.size(1) / 2;
    const Tensor gate = gate_up.narrow(1, 0, width);
    Tensor result = torch::empty_like(gate_up);
    Tensor up_gradient = result.narrow(1, width, width);
    torch::mul_out(up_gradient, gradients[0], torch::silu(gate));
    result.narrow(1, 0, width)
        .copy_(at::silu_backward(gradients[0] * gate_up.narrow(1, width, width), gate));
    return {result};
  }
};

/// Rotates the first heads of x in place; `sign` -1 rotates back.
void rotate_(Tensor& x, int64_t heads, const Tensor& cosines, const Tensor& sines, double sign) {
  const int64_t half = x.size(2) / 2;
  Tensor first = x.narrow(1, 0, heads).narrow(2, 0, half);
  Tensor second = x.narrow(1, 0, heads).narrow(2, half, half);
  const Tensor old_first = first.clone();
  first.mul_(cosines).addcmul_(second, sines, -sign);
  second.mul_(cosines).addcmul_(old_first, sines, sign);
}

struct Rotate : torch::autograd::Function<Rotate> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, int64_t heads, const Tensor& cosines,
                        const Tensor& sines) {
    ctx->save_for_backward({cosines, sines});
    ctx->saved_data["heads"] = heads;
    Tensor rotated = x.clone();
    rotate_(rotated, heads, cosines, sines, 1.0);
    return rotated;
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    Tensor gradient = gradients[0].clone();
    rotate_(gradient, ctx->saved_data["heads"].toInt(), saved[0], saved[1], -1.0);
    return {gradient, Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor rms_norm(const Tensor& x, const Tensor& weight, double epsilon) {
  return RmsNorm::apply(x, weight, epsilon);
}

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon) {
  return at::layer_norm(x, {x.size(-1)}, weight, bias, epsilon);
}

Tensor gelu(const Tensor& x) {
  return at::gelu(x, "tanh");
}

Tensor swiglu(const Tensor& gate_up) {
  return SwiGlu::apply(gate_up);
}

Tensor rotate(const Tensor& x, int64_t heads, const Tensor& cosines, const Tensor& sines) {
  return Rotate::apply(x, heads, cosines, sines);
}

}  // namespace rlhf::model
