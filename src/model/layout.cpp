#include "rlhf/model/layout.hpp"

#include <algorithm>
#include <numeric>

namespace rlhf::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Every token has one slot, so backward passes are gathers and copies; the general index_select
// would add rows up one by one in its backward pass.

struct Pad : torch::autograd::Function<Pad> {
  static Tensor forward(AutogradContext* ctx, const Tensor& packed, const Tensor& slot_tokens,
                        const Tensor& token_slots) {
    ctx->save_for_backward({token_slots});
    return packed.index_select(0, slot_tokens);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    return {gradients[0].index_select(0, ctx->get_saved_variables()[0]), Tensor(), Tensor()};
  }
};

struct SelectRows : torch::autograd::Function<SelectRows> {
  static Tensor forward(AutogradContext* ctx, const Tensor& packed, const Tensor& rows) {
    ctx->save_for_backward({rows});
    ctx->saved_data["size"] = packed.size(0);
    return packed.index_select(0, rows);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    std::vector<int64_t> sizes = gradients[0].sizes().vec();
    sizes[0] = ctx->saved_data["size"].toInt();
    Tensor all = torch::zeros(sizes, gradients[0].options());
    return {all.index_copy_(0, ctx->get_saved_variables()[0], gradients[0]), Tensor()};
  }
};

}  // namespace

SequenceLayout::SequenceLayout(std::vector<int64_t> sequence_lengths, at::Device device)
    : lengths(std::move(sequence_lengths)) {
  longest = lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
  tokens = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  positions = torch::empty({tokens}, torch::kInt64);
  token_slots = torch::empty({tokens}, torch::kInt64);
  slot_tokens = torch::zeros({size() * longest}, torch::kInt64);
  int64_t* position = positions.data_ptr<int64_t>();
  int64_t* slot_of = token_slots.data_ptr<int64_t>();
  int64_t* token_of = slot_tokens.data_ptr<int64_t>();
  int64_t token = 0;
  for (int64_t row = 0; row < size(); ++row) {
    for (int64_t k = 0; k < lengths[static_cast<size_t>(row)]; ++k, ++token) {
      position[token] = k;
      slot_of[token] = row * longest + k;
      token_of[row * longest + k] = token;
    }
  }
  positions = positions.to(device);
  token_slots = token_slots.to(device);
  slot_tokens = slot_tokens.to(device);
}

Tensor pad(const Tensor& packed, const SequenceLayout& layout) {
  std::vector<int64_t> sizes = packed.sizes().vec();
  sizes[0] = layout.longest;
  sizes.insert(sizes.begin(), layout.size());
  if (layout.is_rectangular()) return packed.view(sizes);
  return Pad::apply(packed, layout.slot_tokens, layout.token_slots).view(sizes);
}

Tensor unpad(const Tensor& padded, const SequenceLayout& layout) {
  const Tensor slots = padded.flatten(0, 1);
  if (layout.is_rectangular()) return slots;
  return select_rows(slots, layout.token_slots);
}

Tensor select_rows(const Tensor& packed, const Tensor& rows) {
  return SelectRows::apply(packed, rows);
}

}  // namespace rlhf::model
