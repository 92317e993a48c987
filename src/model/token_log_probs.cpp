#include "rlhf/model/token_log_probs.hpp"

#include <algorithm>
#include <optional>

#include "../kernels/kernels.hpp"
#include "../kernels/team.hpp"
#include "gemm.hpp"
#include "logits.hpp"
#include "outer_operands.hpp"
#include "pool.hpp"

namespace rlhf::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// log softmax of a chunk of rows, in place of their logits.
Tensor chunk_log_softmax(const Tensor& hidden, const Tensor& weight, double temperature) {
  Tensor logits = torch::mm(hidden, weight.t());
  if (temperature != 1.0) logits.div_(temperature);
  return torch::log_softmax(logits, 1);
}

struct ChunkedLogProbs : torch::autograd::Function<ChunkedLogProbs> {
  static variable_list forward(AutogradContext* ctx, const Tensor& hidden, const Tensor& weight,
                               const Tensor& targets, double temperature, bool with_entropy) {
    const int64_t rows = hidden.size(0);
    const int64_t chunk = std::max<int64_t>(1, most_logits_made / weight.size(0));
    Tensor log_probs = torch::empty({rows}, hidden.options());
    Tensor entropy = with_entropy ? torch::empty({rows}, hidden.options()) : Tensor();
    Tensor only_chunk;  // kept for the backward pass where everything fits one chunk
    for (int64_t begin = 0; begin < rows; begin += chunk) {
      const int64_t count = std::min(chunk, rows - begin);
      const Tensor all = chunk_log_softmax(hidden.narrow(0, begin, count), weight, temperature);
      log_probs.narrow(0, begin, count)
          .copy_(all.gather(1, targets.narrow(0, begin, count).unsqueeze(1)).squeeze(1));
      if (with_entropy) entropy.narrow(0, begin, count).copy_(-(all.exp() * all).sum(1));
      if (count == rows) only_chunk = all;
    }
    ctx->save_for_backward({hidden, weight, targets, entropy, only_chunk});
    ctx->saved_data["temperature"] = temperature;
    ctx->saved_data["chunk"] = chunk;
    return with_entropy ? variable_list{log_probs, entropy} : variable_list{log_probs};
  }

  // d log_prob / d logit_j = (1[j = target] - p_j) / temperature
  // d entropy  / d logit_j = -p_j (log p_j + entropy) / temperature
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &hidden = saved[0], &weight = saved[1], &targets = saved[2], &entropy = saved[3],
                 &only_chunk = saved[4];
    const double temperature = ctx->saved_data["temperature"].toDouble();
    const int64_t chunk = ctx->saved_data["chunk"].toInt();
    const bool entropy_used = gradients.size() > 1 && gradients[1].defined();
    Tensor hidden_gradient = torch::zeros_like(hidden);
    Tensor weight_gradient = ctx->needs_input_grad(1) ? torch::zeros_like(weight) : Tensor();
    for (int64_t begin = 0; begin < hidden.size(0); begin += chunk) {
      const int64_t count = std::min(chunk, hidden.size(0) - begin);
      const Tensor rows = hidden.narrow(0, begin, count);
      const Tensor all =
          only_chunk.defined() ? only_chunk : chunk_log_softmax(rows, weight, temperature);
      const Tensor gradient = gradients[0].narrow(0, begin, count).unsqueeze(1) / temperature;
      Tensor p = all.exp();
      Tensor logits_gradient;
      if (entropy_used) {
        const Tensor scale = gradients[1].narrow(0, begin, count).unsqueeze(1) / temperature;
        logits_gradient =
            p * (-gradient - scale * (all + entropy.narrow(0, begin, count).unsqueeze(1)));
      } else {
        logits_gradient = p.mul_(-gradient);
      }
      logits_gradient.scatter_add_(1, targets.narrow(0, begin, count).unsqueeze(1), gradient);
      if (ctx->needs_input_grad(0)) {
        auto out = hidden_gradient.narrow(0, begin, count);
        torch::mm_out(out, logits_gradient, weight);
      }
      if (weight_gradient.defined()) weight_gradient.addmm_(logits_gradient.t(), rows);
    }
    return {hidden_gradient, weight_gradient, Tensor(), Tensor(), Tensor()};
  }
};

struct HeldPair : torch::CustomClassHolder {
  explicit HeldPair(PackedPair held) : pair(std::move(held)) {}
  PackedPair pair;
};

/// The output layer's weight as its products read it: what was packed before, or what a team packs
/// now unless it is so large that its copy would count beside the logits.
class OutputPack {
 public:
  OutputPack(std::shared_ptr<const PackedMatrix> before, kernels::Number number,
             const kernels::Matrix& operand, int64_t outputs, int64_t inputs)
      : before_(std::move(before)), operand_(operand) {
    if (before_ == nullptr && outputs * inputs <= most_output_numbers_packed) {
      own_.emplace(number, outputs, inputs);
    }
  }
  /// This thread's part; it waits for the others.
  void make(const kernels::Member& member) {
    if (!own_) return;
    const auto [begin, end] = member.part(own_->outputs, PackedMatrix::whole_outputs);
    own_->fill(operand_, begin, end);
    member.barrier();
  }
  const PackedMatrix* get() const { return own_ ? &*own_ : before_.get(); }

 private:
  std::shared_ptr<const PackedMatrix> before_;
  kernels::Matrix operand_;
  std::optional<PackedMatrix> own_;
};

/// Rows whose logits stay in a processor's own cache; all of them where every product packs the
/// weight anew.
int64_t logits_block(const OutputPack& pack, int64_t rows, int64_t vocab) {
  if (pack.get() == nullptr) return std::max<int64_t>(1, rows);
  constexpr int64_t cached = int64_t{1} << 18, whole = kernels::outer_rows;
  return std::clamp<int64_t>(cached / vocab / whole, 1, 3) * whole;
}

/// The same without entropy's gradient, by the fused kernels. Where there are not too many logits
/// their exponentials are kept for the backward pass, else they are made again.
struct FusedLogProbs : torch::autograd::Function<FusedLogProbs> {
  static variable_list forward(AutogradContext* ctx, const Tensor& hidden, const Tensor& weight,
                               const Tensor& targets, double temperature, bool with_entropy,
                               kernels::Number number, bool learns, const PackedPair& packed) {
    const int64_t rows = hidden.size(0), vocab = weight.size(0);
    const Tensor log_probs = torch::empty({rows}), sums = torch::empty({rows});
    const Tensor entropy = with_entropy ? torch::empty({rows}) : Tensor();
    const bool kept = learns && rows * vocab <= most_logits_kept;
    const int threads = kernels::threads_for(rows);
    OutputPack pack(packed.forward, number, rows_of(weight), vocab, weight.size(1));
    const int64_t block = logits_block(pack, most_logits_made / vocab / threads, vocab);
    const Tensor exponentials = pooled({kept ? rows : block * threads, vocab});
    kernels::run_team(threads, [&](const kernels::Member& member) {
      pack.make(member);
      const auto [first, end] = member.part(rows, kernels::grain);
      for (int64_t begin = first; begin < end; begin += block) {
        const int64_t count = std::min(block, end - begin);
        float* logits =
            exponentials.data_ptr<float>() + (kept ? begin : member.rank * block) * vocab;
        linear(number, hidden.const_data_ptr<float>() + begin * hidden.size(1), count, weight,
               pack.get(), /*bias=*/{}, logits);
        kernels::kernels().softmax(logits, count, vocab, static_cast<float>(1 / temperature),
                                   targets.const_data_ptr<int64_t>() + begin,
                                   log_probs.data_ptr<float>() + begin,
                                   sums.data_ptr<float>() + begin,
                                   with_entropy ? entropy.data_ptr<float>() + begin : nullptr);
      }
    });
    ctx->save_for_backward({hidden, weight, targets, sums, kept ? exponentials : Tensor()});
    ctx->saved_data["temperature"] = temperature;
    ctx->saved_data["number"] = static_cast<int64_t>(number);
    ctx->saved_data["packed"] = c10::IValue::make_capsule(c10::make_intrusive<HeldPair>(packed));
    return with_entropy ? variable_list{log_probs, entropy} : variable_list{log_probs};
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto number = static_cast<kernels::Number>(ctx->saved_data["number"].toInt());
    const auto capsule = ctx->saved_data["packed"].toCapsule();
    const PackedPair& packed = static_cast<const HeldPair&>(*capsule).pair;
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &hidden = saved[0], &weight = saved[1], &targets = saved[2], &sums = saved[3],
                 &kept = saved[4];
    const auto sharpness = static_cast<float>(1 / ctx->saved_data["temperature"].toDouble());
    const int64_t rows = hidden.size(0), width = hidden.size(1), vocab = weight.size(0);
    const Tensor gradient = gradients[0].contiguous();
    const Tensor hidden_gradient = pooled({rows, width});
    const Tensor weight_gradients = ctx->needs_input_grad(1) ? pooled(weight.sizes()) : Tensor();
    const int threads = kernels::threads_for(rows);
    // Of all threads, the same number for each of them.
    const int64_t whole = threads * kernels::outer_rows;
    const int64_t chunk =
        std::min(rows, std::max<int64_t>(1, most_logits_made / vocab / whole) * whole);
    std::optional<OutputPack> forward_pack;
    if (!kept.defined()) {
      forward_pack.emplace(packed.forward, number, rows_of(weight), vocab, width);
    }
    OutputPack backward_pack(packed.backward, number, columns_of(weight), width, vocab);
    const int64_t block =
        logits_block(backward_pack, (chunk + whole - 1) / whole * kernels::outer_rows, vocab);
    const Tensor logits = pooled({block * threads, vocab});
    const Tensor unused = torch::empty({block * threads});
    std::optional<OuterOperands> operands;
    if (weight_gradients.defined()) operands.emplace(number, chunk, vocab, width);
    const auto& k = kernels::kernels();
    kernels::run_team(threads, [&](const kernels::Member& member) {
      if (forward_pack) forward_pack->make(member);
      backward_pack.make(member);
      float* const mine = logits.data_ptr<float>() + member.rank * block * vocab;
      float* const nobodys = unused.data_ptr<float>() + member.rank * block;
      for (int64_t begin = 0; begin < rows; begin += chunk) {
        const int64_t all = std::min(chunk, rows - begin);
        const auto [low, high] = member.part(all, kernels::outer_rows);
        for (int64_t i = low; i < high; i += block) {
          const kernels::Member::Range part{i, std::min(high, i + block)};
          const int64_t first = begin + i, count = part.size();
          const float* const x = hidden.const_data_ptr<float>() + first * width;
          const float* exponentials = mine;
          if (!forward_pack) {
            exponentials = kept.const_data_ptr<float>() + first * vocab;
          } else {
            linear(number, x, count, weight, forward_pack->get(), {}, mine);
            k.softmax(mine, count, vocab, sharpness, targets.const_data_ptr<int64_t>() + first,
                      nobodys, nobodys, nullptr);
          }
          k.softmax_backward(exponentials, sums.const_data_ptr<float>() + first,
                             gradient.const_data_ptr<float>() + first, count, vocab, sharpness,
                             targets.const_data_ptr<int64_t>() + first, mine);
          linear_backward(number, mine, count, weight, backward_pack.get(),
                          hidden_gradient.data_ptr<float>() + first * width);
          if (!operands) continue;
          operands->put_gradient(mine, part);
          operands->put_x(x, part);
        }
        member.barrier();
        if (operands) operands->learn(member, all, weight_gradients, begin > 0);
        member.barrier();  // before the next chunk overwrites this one
      }
    });
    return {hidden_gradient, weight_gradients, Tensor(), Tensor(),
            Tensor(),        Tensor(),         Tensor(), Tensor()};
  }
};

}  // namespace

LogProbs token_log_probs(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                         double temperature, bool with_entropy, Precision precision,
                         PackedWeights* packs) {
  const bool learns =
      at::GradMode::is_enabled() && (hidden.requires_grad() || weight.requires_grad());
  const bool fused = can_fuse(hidden) && can_fuse(weight) && !(with_entropy && learns);
  // No gradient passes bytes: beside bfloat16 all is float32.
  const kernels::Number number =
      precision == Precision::bfloat16 ? kernels::Number::bfloat16 : kernels::Number::float32;
  PackedPair packed;
  if (fused && packs != nullptr && precision == Precision::bfloat16 && !weight.requires_grad()) {
    packed.forward = packs->forward(kernels::Number::bfloat16, weight);
    if (learns) packed.backward = packs->backward(kernels::Number::bfloat16, weight);
  }
  const variable_list results =
      fused ? FusedLogProbs::apply(hidden.contiguous(), weight, targets.contiguous(), temperature,
                                   with_entropy, number, learns, packed)
            : ChunkedLogProbs::apply(hidden, weight, targets, temperature, with_entropy);
  return {.log_probs = results[0], .entropy = with_entropy ? results[1] : Tensor()};
}

}  // namespace rlhf::model
