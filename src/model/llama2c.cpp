#include "rlhf/model/llama2c.hpp"

#include <array>
#include <cstring>
#include <map>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "weight_names.hpp"

namespace rlhf::model {
namespace {

constexpr size_t header_bytes = 7 * sizeof(int32_t);

TransformerConfig read_header(const std::string& bytes, const std::string& file) {
  require(bytes.size() >= header_bytes, file + ": size", "at least 28 bytes", bytes.size());
  std::array<int32_t, 7> h{};
  std::memcpy(h.data(), bytes.data(), header_bytes);
  constexpr std::array<const char*, 7> names{"dim",      "hidden_dim", "layers",        "heads",
                                             "kv_heads", "vocab_size", "context_length"};
  for (size_t i = 0; i < h.size(); ++i) {
    const int64_t value = i == 5 ? std::abs(static_cast<int64_t>(h[i])) : h[i];
    require(value >= 1 && value <= (int64_t{1} << 22), file + ": " + names[i], "1 to 4194304",
            value);
  }
  TransformerConfig config{.vocab_size = std::abs(h[5]),
                           .dim = h[0],
                           .hidden_dim = h[1],
                           .layers = h[2],
                           .heads = h[3],
                           .kv_heads = h[4],
                           .context_length = h[6],
                           .output_layer = h[5] > 0 ? OutputLayer::tied : OutputLayer::separate};
  config.validate();
  return config;
}

/// Float32 matrices one after the other.
class Floats {
 public:
  Floats(const std::string& bytes, std::string file) : bytes_(bytes), file_(std::move(file)) {}

  Tensor next(at::IntArrayRef sizes) {
    const Tensor tensor = torch::empty(sizes, torch::kFloat32);
    const auto count = static_cast<size_t>(tensor.numel()) * sizeof(float);
    require(bytes_.size() - at_ >= count, file_ + ": bytes left at offset " + std::to_string(at_),
            count, bytes_.size() - at_);
    std::memcpy(tensor.data_ptr<float>(), bytes_.data() + at_, count);
    at_ += count;
    return tensor;
  }
  void require_end() const { require(at_ == bytes_.size(), file_ + ": size", at_, bytes_.size()); }

 private:
  const std::string& bytes_;
  std::string file_;
  size_t at_ = header_bytes;
};

/// Bytes that a file of this shape has at least, so that nothing large is allocated for a short
/// one.
void check_size(const TransformerConfig& c, size_t bytes, const std::string& file) {
  const double kv = static_cast<double>(c.key_heads() * c.head_size());
  const auto d = static_cast<double>(c.dim);
  const double floats =
      static_cast<double>(c.vocab_size) * d +
      static_cast<double>(c.layers) *
          (2 * d + 2 * d * d + 2 * kv * d + 3 * d * static_cast<double>(c.hidden_dim)) +
      d;
  require(static_cast<double>(bytes) >= 4 * floats, file + ": size",
          "at least the bytes of its header's shape", bytes);
}

}  // namespace

CausalLM load_llama2c(const std::filesystem::path& path) {
  const std::string bytes = io::read_file(path);
  const std::string file = path.string();
  const TransformerConfig c = read_header(bytes, file);
  check_size(c, bytes.size(), file);
  Floats floats(bytes, file);
  const int64_t q = c.heads * c.head_size(), kv = c.key_heads() * c.head_size();
  std::map<std::string, Tensor> weights{{"embedding", floats.next({c.vocab_size, c.dim})}};
  const Tensor attention_norm = floats.next({c.layers, c.dim});
  const Tensor wq = floats.next({c.layers, q, c.dim});
  const Tensor wk = floats.next({c.layers, kv, c.dim});
  const Tensor wv = floats.next({c.layers, kv, c.dim});
  const Tensor wo = floats.next({c.layers, c.dim, q});
  const Tensor mlp_norm = floats.next({c.layers, c.dim});
  const Tensor gate = floats.next({c.layers, c.hidden_dim, c.dim});
  const Tensor down = floats.next({c.layers, c.dim, c.hidden_dim});
  const Tensor up = floats.next({c.layers, c.hidden_dim, c.dim});
  weights["norm"] = floats.next({c.dim});
  floats.next({2, c.context_length, c.head_size() / 2});  // rotary tables, made anew by the model
  if (c.output_layer == OutputLayer::separate)
    weights["output"] = floats.next({c.vocab_size, c.dim});
  floats.require_end();
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string layer = "layers." + std::to_string(i) + ".";
    weights[layer + "attention_norm"] = attention_norm[i];
    weights[layer + "qkv"] = torch::cat(
        {halves_from_pairs(wq[i], c.head_size()), halves_from_pairs(wk[i], c.head_size()), wv[i]});
    weights[layer + "attention_out"] = wo[i];
    weights[layer + "mlp_norm"] = mlp_norm[i];
    weights[layer + "gate_up"] = torch::cat({gate[i], up[i]});
    weights[layer + "down"] = down[i];
  }
  Generator unused(0);
  CausalLM model(c, unused);
  NoGrad no_grad;
  for (auto& [name, weight] : model.named_parameters()) weight.copy_(weights.at(name));
  return model;
}

}  // namespace rlhf::model
