#include "fused_passes.hpp"
#include "gemm.hpp"
#include "outer_operands.hpp"

namespace rlhf::model::fused {
namespace {

constexpr int64_t whole_rows = kernels::outer_rows;

/// Rows that are made a block at a time: all of them stay, or the last block of each thread.
class MadeRows {
 public:
  MadeRows(bool stay, int64_t rows, int threads, int64_t width)
      : stay_(stay), rows_(pooled({stay ? rows : threads * block_rows, width})) {}
  float* at(const Member& member, int64_t begin) const {
    return fused::at(rows_, stay_ ? begin : member.rank * block_rows);
  }
  /// Of all that stay.
  const float* all() const { return stay_ ? data(rows_) : nullptr; }

 private:
  bool stay_;
  Tensor rows_;
};

/// Gradients in the order of the weights; undefined where not needed.
class BackwardPass {
 public:
  BackwardPass(const Plan& plan, const Tensor& x, at::TensorList weights,
               const std::vector<Activations>& layers, const Tensor& final_scale,
               const Tensor& gradient)
      : plan_(plan),
        batch_(*plan.batch),
        shape_(batch_.shape),
        x_(x),
        weights_(weights),
        layers_(layers),
        final_scale_(final_scale),
        gradient_(gradient.contiguous()),
        packs_(LayerPacks::Way::backward, weights, batch_),
        tasks_(batch_),
        threads_(kernels::threads_for(x.size(0))),
        normed_(batch_.adapters != nullptr, x.size(0), threads_, shape_.dim),
        product_(batch_.adapters != nullptr, x.size(0), threads_, shape_.hidden_dim),
        gate_up_gradient_(batch_.adapters != nullptr, x.size(0), threads_, shape_.gate_up_width()),
        attention_normed_(batch_.adapters != nullptr, x.size(0), threads_, shape_.dim) {
    const int64_t n = x.size(0), rows = batch_.rows.size(0);
    for (size_t i = 0; i < weights.size(); ++i) {
      gradients_.push_back(plan.needed[i] ? pooled(weights[i].sizes()) : Tensor());
      vector_at_.push_back(vectors_width_);
      vectors_width_ += is_vector(i) ? weights[i].size(0) : 0;
    }
    vectors_.resize(static_cast<size_t>(threads_ * vectors_width_));
    out_gradient_ = pooled({n, shape_.dim});
    middle_gradient_ = pooled({n, shape_.dim});
    normed_gradient_ = pooled({threads_ * block_rows, shape_.dim});
    mixed_gradient_ = pooled({n, shape_.mixed_width()});
    qkv_gradient_ = pooled({n, shape_.qkv_width()});
    for (int64_t layer = 0; layer < shape_.layers; ++layer) {
      for (size_t which = 0; which < matrices.size(); ++which) {
        const Tensor& result = this->gradient(layer, matrices[which]);
        if (!result.defined() || operands_[which]) continue;
        operands_[which].emplace(batch_.number, n, result.size(0), result.size(1));
      }
    }
    if (rows < n) {
      mixed_rows_ = pooled({rows, shape_.mixed_width()});
      mixed_rows_gradient_ = pooled({rows, shape_.mixed_width()});
      middle_rows_gradient_ = pooled({rows, shape_.dim});
    }
    scratch_ = tasks_.scratch(threads_);
    if (batch_.checkpoints) again_.emplace(weights, batch_, /*learns=*/true, nullptr);
    for (size_t i = 0; i < low_.size(); ++i) {
      low_[i] = pooled({n, low_width(batch_)});
      low_gradient_[i] = pooled({n, low_width(batch_)});
    }
  }

  std::vector<Tensor> run() {
    kernels::run_team(threads_, [&](const Member& member) { work(member); });
    std::vector<Tensor> result{plan_.input_needed ? out_gradient_ : Tensor()};
    for (size_t i = 0; i < gradients_.size(); ++i) {
      if (is_vector(i)) {
        gradients_[i].zero_();
        for (int rank = 0; rank < threads_; ++rank) {
          kernels::kernels().add_rows(own(i, rank), 1, gradients_[i].size(0), data(gradients_[i]));
        }
      }
      result.push_back(gradients_[i]);
    }
    return result;
  }

 private:
  /// Norms and biases that learn: each thread adds up a part of its own.
  bool is_vector(size_t weight) const {
    return plan_.needed[weight] && weights_[weight].dim() == 1;
  }
  const float* input_of(int64_t layer) const {
    return layer == 0 ? data(x_) : data(layers_[static_cast<size_t>(layer - 1)].out);
  }
  Tensor& gradient(int64_t layer, Slot slot) {
    return gradients_[static_cast<size_t>(layer) * weights_a_layer + slot];
  }
  /// A thread's own part of the gradient of a norm or bias, or null.
  float* own(size_t weight, int rank) {
    if (!is_vector(weight)) return nullptr;
    return vectors_.data() + rank * vectors_width_ + vector_at_[weight];
  }
  float* own(int64_t layer, Slot slot, const Member& member) {
    return own(static_cast<size_t>(layer) * weights_a_layer + slot, member.rank);
  }
  /// This thread's share of a bias's gradient: the sum of these rows.
  void learn_bias(const Member& member, int64_t layer, Slot slot, const float* rows,
                  int64_t count) {
    float* const result = own(layer, slot, member);
    if (result == nullptr) return;
    kernels::kernels().add_rows(rows, count, gradient(layer, slot).size(0), result);
  }
  /// y [rows, inputs] = gradient [rows, outputs] times one of the layer's weights.
  void product_back(int64_t layer, Adapted which, const float* gradient, int64_t rows,
                    float* y) const {
    packs_.at(layer, which)->product(gradient, rows, y);
  }
  LowRank adapters(int64_t layer, Adapted which) const {
    return low_rank(batch_, Weights(weights_, layer), layer, which);
  }
  /// Rows of an adapter's inner results; they are as wide as the adapter has them.
  static float* low_rows(const Tensor& buffer, const LowRank& adapter, int64_t row) {
    return adapter.there() ? data(buffer) + row * adapter.width() : nullptr;
  }
  /// These rows' gradient through an adapter; x_gradient may be null.
  void pass_back(int64_t layer, Adapted which, const float* gradient, int64_t width,
                 Member::Range part, float* x_gradient) const {
    const LowRank adapter = adapters(layer, which);
    const Tensor& low_gradient = low_gradient_[static_cast<size_t>(which)];
    adapter.pass_back(gradient, width, part.size(), low_rows(low_gradient, adapter, part.begin),
                      x_gradient);
  }
  /// The inner results once more, for the gradient of B.
  void project(int64_t layer, Adapted which, const float* x, Member::Range part) const {
    const LowRank adapter = adapters(layer, which);
    adapter.project(x, part.size(),
                    low_rows(low_[static_cast<size_t>(which)], adapter, part.begin));
  }
  void learn_adapters(const Member& member, int64_t layer, Adapted which, const float* gradient,
                      int64_t width, const float* x, int64_t rows) {
    const auto i = static_cast<size_t>(which);
    const auto slot = static_cast<size_t>(qkv_a) + 2 * i;
    adapters(layer, which)
        .learn(member, gradient, width, x, rows, low_[i], low_gradient_[i],
               this->gradient(layer, static_cast<Slot>(slot)),
               this->gradient(layer, static_cast<Slot>(slot + 1)));
  }
  /// Rows of the gradient of what one of the layer's products made, and of what it read, for
  /// learn(); null: not these.
  void put(int64_t layer, Adapted which, const float* gradient, const float* x,
           Member::Range rows) {
    const auto i = static_cast<size_t>(which);
    if (!this->gradient(layer, matrices[i]).defined()) return;
    if (gradient != nullptr) operands_[i]->put_gradient(gradient, rows);
    if (x != nullptr) operands_[i]->put_x(x, rows);
  }
  /// This thread's part of a weight's gradient, when all have put their rows.
  void learn(const Member& member, int64_t layer, Adapted which, int64_t rows) {
    const auto i = static_cast<size_t>(which);
    const Tensor& result = gradient(layer, matrices[i]);
    if (result.defined()) operands_[i]->learn(member, rows, result);
  }

  void work(const Member& member) {
    const int64_t rows = batch_.rows.size(0);
    const Member::Range part = member.part(rows, whole_rows);
    shape_.norm_kernels().backward(at(layers_.back().out, part.begin), data(weights_.end()[-2]),
                                   data(final_scale_) + part.begin, at(gradient_, part.begin),
                                   part.size(), shape_.dim, nullptr, at(out_gradient_, part.begin),
                                   own(gradients_.size() - 2, member.rank),
                                   own(gradients_.size() - 1, member.rank));
    for (int64_t layer = shape_.layers - 1; layer >= plan_.first_layer; --layer) {
      const Weights w(weights_, layer);
      const Activations& a = layers_[static_cast<size_t>(layer)];
      const bool gathered = layer == shape_.layers - 1 && rows < x_.size(0);
      if (again_ && layer < shape_.layers - 1) {
        again_->layer(member, layer, input_of(layer), a, ForwardPass::Until::inside);
      }
      packs_.make(member, layer);
      const Member::Range wanted = member.part(a.middle.size(0), whole_rows);
      for_each_block(wanted,
                     [&](Member::Range block) { mlp(member, layer, w, a, gathered, block); });
      if (gathered) {
        spread(member, wanted, a);
        const float* const mixed = at(mixed_rows_, wanted.begin);
        put(layer, Adapted::attention_out, nullptr, mixed, wanted);
        project(layer, Adapted::attention_out, mixed, wanted);
      }
      member.barrier();
      attention(member, layer, a, gathered);
      member.barrier();
      for_each_block(member.part(x_.size(0), whole_rows),
                     [&](Member::Range block) { input(member, layer, w, block); });
      member.barrier();
      learn(member, layer, Adapted::qkv, x_.size(0));
      learn_adapters(member, layer, Adapted::qkv, data(qkv_gradient_), shape_.qkv_width(),
                     attention_normed_.all(), x_.size(0));
    }
  }

  /// These rows' gradients: of the MLP's inside, of its input, and of what attention mixed.
  void mlp(const Member& member, int64_t layer, const Weights& w, const Activations& a,
           bool gathered, Member::Range rows) {
    const auto& norm = shape_.norm_kernels();
    const int64_t count = rows.size();
    const float* const gradient = at(out_gradient_, rows.begin);
    float* const product = product_.at(member, rows.begin);
    float* const normed = normed_.at(member, rows.begin);
    float* const inside_gradient = gate_up_gradient_.at(member, rows.begin);
    float* const normed_gradient = at(normed_gradient_, member.rank * block_rows);
    float* const middle = at(gathered ? middle_rows_gradient_ : middle_gradient_, rows.begin);
    float* const mixed = at(gathered ? mixed_rows_gradient_ : mixed_gradient_, rows.begin);
    learn_bias(member, layer, down_bias, gradient, count);
    product_back(layer, Adapted::down, gradient, count, product);
    pass_back(layer, Adapted::down, gradient, shape_.dim, rows, product);
    shape_.activation_kernels().backward(at(a.gate_up, rows.begin), count, shape_.hidden_dim,
                                         product, inside_gradient);
    put(layer, Adapted::down, gradient, product, rows);
    project(layer, Adapted::down, product, rows);
    learn_bias(member, layer, gate_up_bias, inside_gradient, count);
    product_back(layer, Adapted::gate_up, inside_gradient, count, normed_gradient);
    pass_back(layer, Adapted::gate_up, inside_gradient, shape_.gate_up_width(), rows,
              normed_gradient);
    norm.again(at(a.middle, rows.begin), data(w[mlp_norm]), data(w[mlp_norm_bias]),
               data(a.mlp_scale) + rows.begin, count, shape_.dim, normed);
    put(layer, Adapted::gate_up, inside_gradient, normed, rows);
    project(layer, Adapted::gate_up, normed, rows);
    norm.backward(at(a.middle, rows.begin), data(w[mlp_norm]), data(a.mlp_scale) + rows.begin,
                  normed_gradient, count, shape_.dim, gradient, middle,
                  own(layer, mlp_norm, member), own(layer, mlp_norm_bias, member));
    learn_bias(member, layer, attention_out_bias, middle, count);
    product_back(layer, Adapted::attention_out, middle, count, mixed);
    pass_back(layer, Adapted::attention_out, middle, shape_.dim, rows, mixed);
    put(layer, Adapted::attention_out, middle, gathered ? nullptr : at(a.mixed, rows.begin), rows);
    if (!gathered) project(layer, Adapted::attention_out, at(a.mixed, rows.begin), rows);
  }

  /// The wanted rows' gradients among zeros for all the others.
  void spread(const Member& member, Member::Range part, const Activations& a) {
    const auto* wanted = batch_.rows.const_data_ptr<int64_t>();
    gather(data(a.mixed), wanted, part, shape_.mixed_width(), data(mixed_rows_));
    // Between a thread's first wanted row and the next thread's, whatever lies there is its own.
    const int64_t rows = batch_.rows.size(0), n = x_.size(0);
    const auto bound = [&](int64_t row) { return row < rows ? wanted[row] : n; };
    const int64_t begin = member.rank == 0 ? 0 : bound(part.begin);
    const int64_t end = member.rank == member.size - 1 ? n : bound(part.end);
    std::fill(at(middle_gradient_, begin), at(middle_gradient_, end), 0.0F);
    std::fill(at(mixed_gradient_, begin), at(mixed_gradient_, end), 0.0F);
    for (int64_t i = part.begin; i < part.end; ++i) {
      std::copy_n(at(middle_rows_gradient_, i), shape_.dim, at(middle_gradient_, wanted[i]));
      std::copy_n(at(mixed_rows_gradient_, i), shape_.mixed_width(),
                  at(mixed_gradient_, wanted[i]));
    }
  }

  /// Everybody's rows are there: weight gradients by outputs, attention by sequence and head.
  void attention(const Member& member, int64_t layer, const Activations& a, bool gathered) {
    const int64_t rows = a.middle.size(0);
    const float* middle = data(gathered ? middle_rows_gradient_ : middle_gradient_);
    const float* mixed = data(gathered ? mixed_rows_ : a.mixed);
    for (const Adapted which : {Adapted::down, Adapted::gate_up, Adapted::attention_out}) {
      learn(member, layer, which, rows);
    }
    learn_adapters(member, layer, Adapted::down, data(out_gradient_), shape_.dim, product_.all(),
                   rows);
    learn_adapters(member, layer, Adapted::gate_up, gate_up_gradient_.all(), shape_.gate_up_width(),
                   normed_.all(), rows);
    learn_adapters(member, layer, Adapted::attention_out, middle, shape_.dim, mixed, rows);
    const float* qkv = data(a.qkv);
    float* gradient = data(qkv_gradient_);
    tasks_.run(layer, qkv, [&](const kernels::AttentionHeads& heads, int64_t token, int64_t head) {
      const int64_t offset = head * shape_.head_size;
      kernels::kernels().attention_backward(
          heads, at(a.mixed, token) + offset, at(mixed_gradient_, token) + offset,
          shape_.mixed_width(), at(a.log_sum, token) + head, shape_.heads,
          gradient + (heads.queries - qkv), gradient + (heads.keys - qkv),
          gradient + (heads.values - qkv), at(scratch_, member.rank));
    });
  }

  /// These rows' gradient of the layer's input, into out_gradient_.
  void input(const Member& member, int64_t layer, const Weights& w, Member::Range rows) {
    const auto& norm = shape_.norm_kernels();
    const int64_t count = rows.size();
    const Activations& a = layers_[static_cast<size_t>(layer)];
    const float* const in = input_of(layer) + rows.begin * shape_.dim;
    float* const gradient = at(qkv_gradient_, rows.begin);
    float* const normed = attention_normed_.at(member, rows.begin);
    float* const normed_gradient = at(normed_gradient_, member.rank * block_rows);
    if (shape_.rotary) {
      kernels::kernels().rotate(gradient, count, shape_.qkv_width(), shape_.heads + shape_.kv_heads,
                                shape_.head_size,
                                batch_.layout.positions.const_data_ptr<int64_t>() + rows.begin,
                                data(batch_.cosines), data(batch_.sines), -1);
    }
    if (shape_.query_key_norm) heads(member, layer, w, a, rows);
    learn_bias(member, layer, qkv_bias, gradient, count);
    norm.again(in, data(w[attention_norm]), data(w[attention_norm_bias]),
               data(a.attention_scale) + rows.begin, count, shape_.dim, normed);
    float* const weight_gradient = own(layer, attention_norm, member);
    float* const bias_gradient = own(layer, attention_norm_bias, member);
    put(layer, Adapted::qkv, gradient, normed, rows);
    project(layer, Adapted::qkv, normed, rows);
    const bool ends = layer == plan_.first_layer && !plan_.input_needed &&
                      weight_gradient == nullptr && bias_gradient == nullptr;
    if (!ends) product_back(layer, Adapted::qkv, gradient, count, normed_gradient);
    pass_back(layer, Adapted::qkv, gradient, shape_.qkv_width(), rows,
              ends ? nullptr : normed_gradient);
    if (ends) return;
    norm.backward(in, data(w[attention_norm]), data(a.attention_scale) + rows.begin,
                  normed_gradient, count, shape_.dim, at(middle_gradient_, rows.begin),
                  at(out_gradient_, rows.begin), weight_gradient, bias_gradient);
  }

  /// Rows: the gradients of queries and keys, in place, to before their norms.
  void heads(const Member& member, int64_t layer, const Weights& w, const Activations& a,
             Member::Range mine) {
    const auto backward = kernels::kernels().rms_norm.backward;
    const int64_t size = shape_.head_size, keys = shape_.heads * size;
    float *query_gradient = own(layer, query_norm, member),
          *key_gradient = own(layer, key_norm, member);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
      const float *raw = at(a.raw_heads, i), *scale = at(a.head_scale, i);
      float* g = at(qkv_gradient_, i);
      backward(raw, data(w[query_norm]), scale, g, shape_.heads, size, nullptr, g, query_gradient,
               nullptr);
      backward(raw + keys, data(w[key_norm]), scale + shape_.heads, g + keys, shape_.kv_heads, size,
               nullptr, g + keys, key_gradient, nullptr);
    }
  }

  const Plan& plan_;
  const DecoderBatch& batch_;
  const DecoderShape& shape_;
  const Tensor& x_;
  at::TensorList weights_;
  const std::vector<Activations>& layers_;
  const Tensor& final_scale_;
  const Tensor gradient_;
  LayerPacks packs_;
  AttentionTasks tasks_;
  std::optional<ForwardPass> again_;  // for what the forward pass did not keep
  int threads_;
  std::vector<Tensor> gradients_;
  std::vector<float> vectors_;  // [threads, all of the norms and biases]
  int64_t vectors_width_ = 0;
  std::vector<int64_t> vector_at_;  // of each weight, in a thread's part
  MadeRows normed_, product_, gate_up_gradient_, attention_normed_;
  std::array<std::optional<OuterOperands>, 4> operands_;  // by Adapted, of weights that learn
  Tensor out_gradient_, middle_gradient_, normed_gradient_, mixed_gradient_, qkv_gradient_;
  Tensor scratch_;
  Tensor mixed_rows_, mixed_rows_gradient_, middle_rows_gradient_;  // of the wanted rows alone
  std::array<Tensor, 4> low_, low_gradient_;  // [N, ranks of the parts], by Adapted
};

}  // namespace

std::vector<Tensor> backward_pass(const Plan& plan, const Tensor& x, at::TensorList weights,
                                  const std::vector<Activations>& layers, const Tensor& final_scale,
                                  const Tensor& gradient) {
  return BackwardPass(plan, x, weights, layers, final_scale, gradient).run();
}

}  // namespace rlhf::model::fused
