/// Random ragged inputs, a function of the generator alone.
#pragma once

#include <vector>

#include "rlhf/core/completions.hpp"
#include "rlhf/core/random.hpp"

namespace rlhf::test {

enum class Holes { none, some };

/// float64, N(0, 1).
inline Tensor random_normal(Generator& generator, at::IntArrayRef sizes) {
  Tensor tensor = torch::empty(sizes, torch::kDouble);
  generator.fill_normal(tensor, 0.0, 1.0);
  return tensor;
}

/// int64 in [0, bound).
inline Tensor random_integers(Generator& generator, int64_t bound, at::IntArrayRef sizes) {
  Tensor tensor = torch::empty(sizes, torch::kInt64);
  int64_t* out = tensor.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < tensor.numel(); ++i) out[i] = generator.below(bound);
  return tensor;
}

/// bool [rows, width]: rows of random length, padded on the right, each with a true.
inline Tensor random_mask(Generator& generator, int64_t rows, int64_t width, Holes holes) {
  Tensor mask = torch::zeros({rows, width}, torch::kBool);
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t length = 1 + generator.below(width);
    bool* slot = mask[row].mutable_data_ptr<bool>();
    for (int64_t t = 0; t < length; ++t)
      slot[t] = holes == Holes::none || generator.uniform() < 0.6;
    slot[generator.below(length)] = true;
  }
  return mask;
}

/// Prompts of 1 to `longest_prompt` tokens, responses of 1 to `longest_response`.
inline Completions random_completions(Generator& generator, int64_t rows, int64_t vocabulary,
                                      int64_t longest_prompt, int64_t longest_response) {
  std::vector<std::vector<int64_t>> prompts, responses;
  for (int64_t row = 0; row < rows; ++row) {
    const auto tokens = [&](int64_t longest) {
      return int64_vector(random_integers(generator, vocabulary, {1 + generator.below(longest)}));
    };
    prompts.push_back(tokens(longest_prompt));
    responses.push_back(tokens(longest_response));
  }
  return completions_from(prompts, responses);
}

}  // namespace rlhf::test
