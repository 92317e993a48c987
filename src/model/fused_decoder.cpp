#include "fused_decoder.hpp"

#include "fused_passes.hpp"

namespace rlhf::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Which of the weights there are: autograd takes no undefined ones.
using Places = std::shared_ptr<const std::vector<bool>>;

struct FusedDecoder : torch::autograd::Function<FusedDecoder> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, at::TensorList present,
                        const Places& places, const std::shared_ptr<const DecoderBatch>& batch) {
    std::vector<Tensor> weights;
    for (size_t i = 0, next = 0; i < places->size(); ++i) {
      weights.push_back((*places)[i] ? present[next++] : Tensor());
    }
    auto plan = c10::make_intrusive<fused::Plan>();
    plan->batch = batch;
    plan->input_needed = x.requires_grad();
    plan->first_layer = batch->shape.layers;
    for (size_t i = 0; i < weights.size(); ++i) {
      plan->needed.push_back(weights[i].requires_grad());
      const int64_t layer = static_cast<int64_t>(i / fused::weights_a_layer);
      if (plan->needed.back()) plan->first_layer = std::min(plan->first_layer, layer);
    }
    if (plan->input_needed) plan->first_layer = 0;

    std::vector<fused::Activations> layers = fused::make_activations(*batch, plan->first_layer);
    const Tensor final_scale = pooled({batch->rows.size(0)});
    Tensor hidden = fused::forward_pass(x, weights, *batch, layers, final_scale, /*learns=*/true);
    variable_list saved{x, final_scale};
    saved.insert(saved.end(), weights.begin(), weights.end());
    for (const fused::Activations& a : layers) a.append_to(saved);
    ctx->save_for_backward(std::move(saved));
    ctx->saved_data["plan"] = c10::IValue::make_capsule(std::move(plan));
    return hidden;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto capsule = ctx->saved_data["plan"].toCapsule();
    const auto& plan = static_cast<const fused::Plan&>(*capsule);
    const variable_list saved = ctx->get_saved_variables();
    const auto weights = at::TensorList(saved).slice(2, plan.needed.size());
    std::vector<fused::Activations> layers;
    for (size_t at = 2 + weights.size(); at < saved.size(); at += fused::Activations::count) {
      layers.emplace_back(saved, at);
    }
    variable_list result =
        fused::backward_pass(plan, saved[0], weights, layers, saved[1], gradients[0]);
    size_t kept = 1;
    for (size_t i = 0; i < weights.size(); ++i) {
      if (weights[i].defined()) result[kept++] = result[i + 1];
    }
    result.resize(kept);
    result.resize(kept + 2);  // places and batch have none
    return result;
  }
};

Tensor fused_forward(const Tensor& x, at::TensorList weights, const DecoderBatch& batch) {
  return fused::forward_pass(x, weights, batch, fused::make_activations(batch, batch.shape.layers),
                             pooled({batch.rows.size(0)}), /*learns=*/false);
}

}  // namespace

Tensor fused_decoder(const Tensor& x, at::TensorList weights,
                     const std::shared_ptr<const DecoderBatch>& batch) {
  const bool learns = at::GradMode::is_enabled() &&
                      (x.requires_grad() || std::ranges::any_of(weights, [](const Tensor& weight) {
                         return weight.requires_grad();
                       }));
  if (learns) {
    std::vector<Tensor> present;
    std::vector<bool> places;
    for (const Tensor& weight : weights) {
      places.push_back(weight.defined());
      if (weight.defined()) present.push_back(weight);
    }
    return FusedDecoder::apply(x.contiguous(), at::TensorList(present),
                               std::make_shared<const std::vector<bool>>(std::move(places)), batch);
  }
  // Nothing need stay for a backward pass, so sequences go through in parts that caches hold.
  // The faster the products, the more rows must share what packing the weights costs.
  const int64_t rows_a_thread = 2048;
  const int64_t tokens = batch->layout.tokens,
                part_tokens = rows_a_thread * kernels::threads_for(tokens);
  const Tensor hidden = x.contiguous();
  if (tokens <= 2 * part_tokens) return fused_forward(hidden, weights, *batch);
  const auto* rows = batch->rows.const_data_ptr<int64_t>();
  std::vector<Tensor> parts;
  std::vector<int64_t> lengths;
  int64_t begin = 0, end = 0, first_row = 0;
  for (size_t i = 0; i < batch->layout.lengths.size(); ++i) {
    lengths.push_back(batch->layout.lengths[i]);
    end += lengths.back();
    if (end - begin < part_tokens && i + 1 < batch->layout.lengths.size()) continue;
    int64_t last_row = first_row;
    while (last_row < batch->rows.size(0) && rows[last_row] < end) ++last_row;
    const DecoderBatch part{.shape = batch->shape,
                            .number = batch->number,
                            .layout = SequenceLayout(std::exchange(lengths, {}), at::kCPU),
                            .rows = batch->rows.narrow(0, first_row, last_row - first_row) - begin,
                            .cosines = batch->cosines,
                            .sines = batch->sines,
                            .adapters = batch->adapters,
                            .first_layer = batch->first_layer,
                            .packed = batch->packed};
    parts.push_back(fused_forward(hidden.narrow(0, begin, end - begin), weights, part));
    begin = end;
    first_row = last_row;
  }
  return torch::cat(parts);
}

void fused_read(const Tensor& x, at::TensorList weights, const DecoderBatch& batch,
                KvCache& cache) {
  fused::forward_pass(x.contiguous(), weights, batch,
                      fused::make_activations(batch, batch.shape.layers), pooled({0}),
                      /*learns=*/false, &cache);
}

}  // namespace rlhf::model
