#include "composite_layer.hpp"

#include "rlhf/model/layers.hpp"

namespace rlhf::model::composite {

Tensor norm(const TransformerConfig& config, const Tensor& x, const Tensor& weight,
            const Tensor& bias) {
  return config.norm == NormKind::rms ? rms_norm(x, weight, config.norm_epsilon)
                                      : layer_norm(x, weight, bias, config.norm_epsilon);
}

Tensor Layer::product(const Tensor& x, Adapted which, const Tensor& bias) const {
  const auto& places = TransformerBlock::adaptable[static_cast<size_t>(which)];
  const Tensor y = torch::linear(x, block.*places.weight, bias);
  const Tensor &a = block.*places.a, &b = block.*places.b;
  if (!a.defined()) return y;
  const int64_t rank = b.size(1);
  const Tensor low = torch::linear(x, a) * adapters->options.scale();
  std::vector<Tensor> columns;
  int64_t end = 0;
  const auto fill_to = [&](int64_t begin) {
    if (begin > end) columns.push_back(torch::zeros({x.size(0), begin - end}, y.options()));
  };
  for (const AdapterPart& part : adapters->parts(number, which)) {
    fill_to(part.begin);
    columns.push_back(
        torch::linear(low.narrow(1, part.row_of_a, rank), b.narrow(0, part.row_of_b, part.rows)));
    end = part.begin + part.rows;
  }
  fill_to(y.size(1));
  return y + torch::cat(columns, 1);
}

Tensor qkv(const Layer& layer, const Tensor& x, const std::pair<Tensor, Tensor>& rotation) {
  const auto& [config, block, adapters, number] = layer;
  const int64_t queries = config.heads, keys = config.key_heads(), size = config.head_size();
  Tensor heads = layer
                     .product(norm(config, x, block.attention_norm, block.attention_norm_bias),
                              Adapted::qkv, block.qkv_bias)
                     .view({-1, queries + 2 * keys, size});
  if (config.query_key_norm) {
    heads =
        torch::cat({rms_norm(heads.narrow(1, 0, queries), block.query_norm, config.norm_epsilon),
                    rms_norm(heads.narrow(1, queries, keys), block.key_norm, config.norm_epsilon),
                    heads.narrow(1, queries + keys, keys)},
                   1);
  }
  if (config.positions == Positions::learned) return heads;
  return rotate(heads, queries + keys, rotation.first, rotation.second);
}

std::array<Tensor, 3> split_heads(const TransformerConfig& config, const Tensor& padded) {
  const auto parts =
      padded.split_with_sizes({config.heads, config.key_heads(), config.key_heads()}, 2);
  return {parts[0].transpose(1, 2), parts[1].transpose(1, 2), parts[2].transpose(1, 2)};
}

Tensor causal_attention(const TransformerConfig& config, const Tensor& qkv,
                        const SequenceLayout& layout) {
  const auto [q, k, v] = split_heads(config, pad(qkv, layout));
  const Tensor mixed = at::scaled_dot_product_attention(q, k, v, {}, 0.0, /*is_causal=*/true, {},
                                                        config.heads != config.key_heads());
  return unpad(mixed.transpose(1, 2).flatten(2), layout);
}

Tensor after_attention(const Layer& layer, const Tensor& x, const Tensor& mixed) {
  const auto& [config, block, adapters, number] = layer;
  const Tensor middle = x + layer.product(mixed, Adapted::attention_out, block.attention_out_bias);
  const Tensor gate_up = layer.product(norm(config, middle, block.mlp_norm, block.mlp_norm_bias),
                                       Adapted::gate_up, block.gate_up_bias);
  const Tensor inside =
      config.activation == Activation::swiglu ? model::swiglu(gate_up) : model::gelu(gate_up);
  return middle + layer.product(inside, Adapted::down, block.down_bias);
}

Tensor WholeLayer::operator()(const Tensor& x) const {
  const Layer layer{.config = config, .block = block, .adapters = adapters.get(), .number = number};
  const Tensor mixed = causal_attention(config, composite::qkv(layer, x, rotation), *layout);
  if (!rows.defined()) return after_attention(layer, x, mixed);
  return after_attention(layer, select_rows(x, rows), select_rows(mixed, rows));
}

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Checkpointed : torch::autograd::Function<Checkpointed> {
  struct Held : torch::CustomClassHolder {
    explicit Held(WholeLayer held) : layer(std::move(held)) {}
    WholeLayer layer;
  };

  /// @param weights  of the layer, those there are, for autograd to see
  static Tensor forward(AutogradContext* ctx, const Tensor& x, at::TensorList weights,
                        const c10::intrusive_ptr<Held>& held) {
    variable_list saved{x};
    saved.insert(saved.end(), weights.begin(), weights.end());
    ctx->save_for_backward(std::move(saved));
    ctx->saved_data["layer"] = c10::IValue::make_capsule(held);
    return held->layer(x);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto capsule = ctx->saved_data["layer"].toCapsule();
    const variable_list saved = ctx->get_saved_variables();
    const at::AutoGradMode with_graph(true);
    const Tensor x = saved.front().detach().requires_grad_();
    variable_list inputs{x};
    std::vector<size_t> places{0};
    for (size_t i = 1; i < saved.size(); ++i) {
      if (!saved[i].requires_grad()) continue;
      inputs.push_back(saved[i]);
      places.push_back(i);
    }
    const variable_list found = torch::autograd::grad({static_cast<const Held&>(*capsule).layer(x)},
                                                      inputs, {gradients.front()});
    variable_list result(saved.size() + 1);  // the layer itself has none
    for (size_t i = 0; i < places.size(); ++i) result[places[i]] = found[i];
    return result;
  }
};

}  // namespace

Tensor checkpointed(WholeLayer layer, const Tensor& x) {
  variable_list weights;
  for (const auto& field : TransformerBlock::fields) {
    if ((layer.block.*field.weight).defined()) weights.push_back(layer.block.*field.weight);
  }
  return Checkpointed::apply(x, at::TensorList(weights),
                             c10::make_intrusive<Checkpointed::Held>(std::move(layer)));
}

}  // namespace rlhf::model::composite
