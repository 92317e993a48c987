/// Which rows of our weights are which tensor in other people's files: one list serves reading and
/// writing, whatever the file is.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "family.hpp"
#include "rlhf/model/causal_lm.hpp"

namespace rlhf::model {

/// Numbers that a trunk of this shape takes in memory: weights, and the rotary tables, which no
/// file holds.
double numbers_of(const TransformerConfig& config);

/// Rows of a weight that are a tensor of their own elsewhere.
struct WeightPart {
  std::string name;         ///< there
  Tensor rows;              ///< here, row after row; shares the weight's memory, without gradient
  bool transposed = false;  ///< a matrix that stands there as [in, out]
  bool rotates = false;     ///< rows of queries or keys, whose order in a head is a matter of taste

  /// Of the tensor there.
  std::vector<int64_t> shape() const;
};

/// What files call the tensors of a decoder.
struct WeightNames {
  std::map<std::string, std::string> of_model =
      {};                         ///< ours, as "norm_bias", to theirs; "output" too
  std::string before_layer = "";  ///< "model.layers."
  /// Ours in a layer, as "qkv", to theirs, as "self_attn.q_proj.weight": one, or in order what the
  /// rows are of.
  std::map<std::string, std::vector<std::string>> of_layer = {};
  bool transposed = false;  ///< the layers' matrices

  std::string layer(int64_t layer, const std::string& name) const;
};
/// @param prefix  of the trunk's tensors; "transformer." for GPT-2's, or nothing where an older
/// file
///                of it goes without
WeightNames hugging_face_names(Family family, const std::string& prefix);
WeightNames hugging_face_names(Family family);
WeightNames gguf_names();

/// Rows that are a tensor of their own there.
struct NamedRows {
  std::string name;
  int64_t rows;
};
/// What the rows of a layer's weight, such as "qkv", are there, first to last.
std::vector<NamedRows> rows_there(const TransformerConfig& config, const WeightNames& names,
                                  int64_t layer, const std::string& weight);

/// All of a trunk's weights but its adapters, in the order of its named parameters.
std::vector<WeightPart> weight_parts(const Transformer& trunk, const WeightNames& names);

/// Rows (2i, 2i + 1) of each head become (i, i + size / 2): files that rotate neighbours, to models
/// that rotate halves.
Tensor halves_from_pairs(const Tensor& weight, int64_t head_size);

}  // namespace rlhf::model
