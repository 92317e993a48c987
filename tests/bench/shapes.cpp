#include "shapes.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "../../src/model/logits.hpp"
#include "rlhf/core/error.hpp"

namespace bench {
namespace {

double count(const rlhf::Tensor& lengths) {
  return static_cast<double>(lengths.sum().item<int64_t>());
}

/// Of a token and one that it sees, itself among them.
double pairs(const rlhf::Tensor& lengths) {
  return count(lengths * (lengths + 1)) / 2;
}

}  // namespace

double Shape::weights(double tokens, double rows) const {
  const auto& c = config;
  const auto queries = static_cast<double>(c.heads * c.head_size());
  const auto keys = static_cast<double>(c.key_heads() * c.head_size());
  const auto dim = static_cast<double>(c.dim), hidden = static_cast<double>(c.hidden_dim);
  const double qkv = dim * (queries + 2 * keys), rest = dim * queries + 3 * dim * hidden;
  const auto layers = static_cast<double>(c.layers);
  return 2 * (layers * qkv * tokens + (layers - 1) * rest * tokens + rest * rows);
}

double Shape::attention(double pairs) const {
  return 2 * 2 * pairs * static_cast<double>(config.layers * config.heads * config.head_size());
}

double Shape::trunk(const rlhf::Completions& completions, double rows) const {
  return weights(count(completions.lengths()), rows) + attention(pairs(completions.lengths()));
}

double Shape::trunk_learning(const rlhf::Completions& completions, double rows) const {
  // The shares are made again: five products on the way back.
  return 3 * weights(count(completions.lengths()), rows) +
         (2 + 5) / 2.0 * attention(pairs(completions.lengths()));
}

double Shape::output(double rows) const {
  return 2 * static_cast<double>(config.dim * config.vocab_size) * rows;
}

double Shape::output_learning(double rows) const {
  const double logits = rows * static_cast<double>(config.vocab_size);
  const bool made_again = logits > static_cast<double>(rlhf::model::most_logits_kept);
  return (made_again ? 4 : 3) * output(rows);
}

double Shape::sampling(const rlhf::Completions& completions) const {
  // A prompt's last token is fed to the first step, a response's last one to none.
  const double made = count(completions.response_lengths);
  const double read = count(completions.prompt_lengths - 1);
  return weights(read, 0) + weights(made, made) + attention(pairs(completions.lengths() - 1)) +
         output(made);
}

const Shape& shape(std::string_view name) {
  static const std::vector<Shape> shapes{{.name = "tiny",
                                          .config = {.vocab_size = 512,
                                                     .dim = 64,
                                                     .hidden_dim = 172,
                                                     .layers = 5,
                                                     .heads = 8,
                                                     .kv_heads = 4,
                                                     .context_length = 1024}},
                                         {.name = "small",
                                          .config = {.vocab_size = 4096,
                                                     .dim = 288,
                                                     .hidden_dim = 768,
                                                     .layers = 6,
                                                     .heads = 6,
                                                     .kv_heads = 6,
                                                     .context_length = 1024}},
                                         {.name = "medium",
                                          .config = {.vocab_size = 49152,
                                                     .dim = 576,
                                                     .hidden_dim = 1536,
                                                     .layers = 30,
                                                     .heads = 9,
                                                     .kv_heads = 3,
                                                     .context_length = 1024}}};
  const auto found = std::ranges::find(shapes, name, &Shape::name);
  rlhf::require(found != shapes.end(), "model shape", "tiny, small or medium", name);
  return *found;
}

rlhf::Precision precision(std::string_view name) {
  rlhf::require(name == "float32" || name == "bfloat16" || name == "int8", "dtype",
                "float32, bfloat16 or int8", name);
  if (name == "float32") return rlhf::Precision::float32;
  return name == "int8" ? rlhf::Precision::int8 : rlhf::Precision::bfloat16;
}

double peak(at::ScalarType dtype) {
  // Without instructions for it LibTorch multiplies bfloat16 a thousand times slower.
  const bool slow = dtype == at::kBFloat16 && !rlhf::is_fast(rlhf::Precision::bfloat16);
  const int64_t size = slow ? 256 : 2048;
  const rlhf::NoGrad no_grad;
  const rlhf::Tensor a = at::rand({size, size}).to(dtype), b = at::rand({size, size}).to(dtype);
  rlhf::Tensor product = at::mm(a, b);
  double best = 0;
  for (int run = 0; run < 3; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    at::mm_out(product, a, b);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    best = std::max(best, 2.0 * static_cast<double>(size * size * size) / seconds.count());
  }
  return best;
}

}  // namespace bench
