#include "shapes.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

namespace bench {

double Shape::layer_weights() const {
  const auto& c = config;
  const int64_t queries = c.heads * c.head_size(), keys = c.key_heads() * c.head_size();
  return static_cast<double>(c.layers *
                             (c.dim * (2 * queries + 2 * keys) + 3 * c.dim * c.hidden_dim));
}

double Shape::output_weights() const {
  return static_cast<double>(config.dim * config.vocab_size);
}

const Shape& shape(int64_t index) {
  static const std::vector<Shape> shapes{{.name = "tiny",
                                          .config = {.vocab_size = 512,
                                                     .dim = 64,
                                                     .hidden_dim = 172,
                                                     .layers = 5,
                                                     .heads = 8,
                                                     .kv_heads = 4,
                                                     .context_length = 512}},
                                         {.name = "small",
                                          .config = {.vocab_size = 4096,
                                                     .dim = 288,
                                                     .hidden_dim = 768,
                                                     .layers = 6,
                                                     .heads = 6,
                                                     .kv_heads = 6,
                                                     .context_length = 512}}};
  return shapes.at(static_cast<size_t>(index));
}

double peak(int threads) {
  constexpr int64_t size = 2048;
  at::set_num_threads(threads);
  const rlhf::NoGrad no_grad;
  static const rlhf::Tensor a = at::rand({size, size}), b = at::rand({size, size});
  rlhf::Tensor product = at::mm(a, b);
  double best = 0;
  for (int run = 0; run < 3; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    at::mm_out(product, a, b);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    best = std::max(best, 2.0 * size * size * size / seconds.count());
  }
  return best;
}

namespace {

std::vector<int64_t> random_tokens(const Shape& shape, int64_t count, rlhf::Generator& generator) {
  constexpr int64_t first_word = 3;  // padding and the like lie below
  std::vector<int64_t> tokens;
  for (int64_t i = 0; i < count; ++i) {
    tokens.push_back(first_word + generator.below(shape.config.vocab_size - first_word));
  }
  return tokens;
}

}  // namespace

rlhf::Completions random_batch(const Shape& shape, int64_t rows, int64_t prompt, int64_t response,
                               rlhf::Generator& generator) {
  std::vector<std::vector<int64_t>> prompts, responses;
  for (int64_t row = 0; row < rows; ++row) {
    prompts.push_back(random_tokens(shape, prompt, generator));
    responses.push_back(random_tokens(shape, response, generator));
  }
  return rlhf::completions_from(prompts, responses);
}

rlhf::Completions ragged_batch(const Shape& shape, int64_t rows, int64_t prompt, int64_t response,
                               rlhf::Generator& generator) {
  std::vector<std::vector<int64_t>> prompts, responses;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t length = 16 + generator.below(prompt + response - 15);
    const int64_t asked = std::max<int64_t>(1, length * prompt / (prompt + response));
    prompts.push_back(random_tokens(shape, asked, generator));
    responses.push_back(random_tokens(shape, length - asked, generator));
  }
  return rlhf::completions_from(prompts, responses);
}

}  // namespace bench
