/// Which rows of our weights are which tensor in other people's files: one list serves reading and
/// writing, whatever the file is.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "rlhf/model/causal_lm.hpp"

namespace rlhf::model {

/// The greatest dimension that a file may ask for: no product of two overflows.
inline constexpr int64_t largest_dimension = int64_t{1} << 31;

/// Numbers that a trunk of this shape takes in memory: weights, and the rotary tables, which no
/// file holds.
double numbers_of(const TransformerConfig& config);

/// Rows of a weight that are a tensor of their own elsewhere.
struct WeightPart {
  std::string name;      ///< there
  Tensor rows;           ///< here, row after row; shares the weight's memory, without gradient
  bool rotates = false;  ///< rows of queries or keys, whose order in a head is a matter of taste
};

/// What a file calls the tensors of a Llama-style decoder; a layer's are asked for by its number.
struct WeightNames {
  std::string embedding, norm, output;
  std::function<std::string(int64_t layer)> attention_norm, query, key, value, attention_out,
      mlp_norm, gate, up, down;
};
WeightNames hugging_face_names();
WeightNames gguf_names();

/// All of a trunk's weights, in the order of its named parameters.
std::vector<WeightPart> weight_parts(const Transformer& trunk, const WeightNames& names);

/// Rows (2i, 2i + 1) of each head become (i, i + size / 2): files that rotate neighbours, to models
/// that rotate halves.
Tensor halves_from_pairs(const Tensor& weight, int64_t head_size);

}  // namespace rlhf::model
