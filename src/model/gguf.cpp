#include "rlhf/model/gguf.hpp"

#include <fmt/format.h>

#include "read_weights.hpp"
#include "rotary.hpp"

namespace rlhf::model {
namespace {

constexpr const char* rope_factors = "rope_freqs.weight";

/// The file's metadata under "<architecture>.".
class Keys {
 public:
  explicit Keys(const io::GgufMetadata& metadata)
      : metadata_(metadata), architecture_(metadata.text("general.architecture")) {
    require(architecture_ == "llama" || architecture_ == "qwen2" || architecture_ == "qwen3",
            metadata.place("general.architecture"), "llama, qwen2 or qwen3", architecture_);
  }
  const std::string& architecture() const { return architecture_; }
  std::string name(const char* key) const { return fmt::format("{}.{}", architecture_, key); }
  bool has(const char* key) const { return metadata_.contains(name(key)); }
  int64_t size(const char* key) const {
    const int64_t value = metadata_.integer(name(key));
    require(value >= 1 && value <= largest_dimension, metadata_.place(name(key)),
            fmt::format("1 to {}", largest_dimension), value);
    return value;
  }
  double number(const char* key) const { return metadata_.number(name(key)); }

 private:
  const io::GgufMetadata& metadata_;
  std::string architecture_;
};

/// What Llama 3.1 and its successors divide the frequencies by, from the tensor that holds the
/// quotients; all that the file says of it.
RopeScaling scaling_of(const io::GgufFile& file, const TransformerConfig& config) {
  const std::string place = fmt::format("{}: \"{}\"", file.path().string(), rope_factors);
  const Tensor stored = torch::empty({config.head_size() / 2});
  const std::vector<int64_t> shape{stored.size(0)};
  require(file.tensor(rope_factors).shape == shape, place + ": shape", at::IntArrayRef(shape),
          at::IntArrayRef(file.tensor(rope_factors).shape));
  file.read(rope_factors, {stored.data_ptr<float>(), static_cast<size_t>(stored.numel())});
  TransformerConfig scaled = config;
  scaled.rope_scaling = {
      .factor = stored.max().item<double>(), .low = 1, .high = 4, .original_context = 8192};
  const Tensor expected = rotary_frequencies(config) / rotary_frequencies(scaled);
  require(torch::allclose(stored.to(torch::kFloat64), expected, 1e-4), place,
          "the factors of Llama 3's rotation (from 8,192 tokens, low 1, high 4)", "others");
  return scaled.rope_scaling;
}

TransformerConfig config_of(const io::GgufFile& file) {
  const Keys keys(file.metadata());
  const WeightNames names = gguf_names();
  const std::string& first = names.of_model.at("embedding");
  const io::GgufTensor& embedding = file.tensor(first);
  require(embedding.shape.size() == 2, file.path().string() + ": " + first, "a matrix",
          at::IntArrayRef(embedding.shape));
  TransformerConfig config{.vocab_size = embedding.shape[0],
                           .dim = keys.size("embedding_length"),
                           .hidden_dim = keys.size("feed_forward_length"),
                           .layers = keys.size("block_count"),
                           .heads = keys.size("attention.head_count"),
                           .context_length = keys.size("context_length"),
                           .norm_epsilon = keys.number("attention.layer_norm_rms_epsilon"),
                           .output_layer = file.contains(names.of_model.at("output"))
                                               ? OutputLayer::separate
                                               : OutputLayer::tied,
                           .bias = keys.architecture() == "qwen2" ? Bias::qkv : Bias::none,
                           .query_key_norm = keys.architecture() == "qwen3"};
  if (keys.has("attention.head_count_kv")) config.kv_heads = keys.size("attention.head_count_kv");
  if (keys.has("attention.key_length")) config.head_dim = keys.size("attention.key_length");
  if (keys.has("rope.freq_base")) config.rope_base = keys.number("rope.freq_base");
  try {
    config.validate();
  } catch (const Error& error) {
    fail(fmt::format("{}: {}", file.path().string(), error.what()));
  }
  const std::string last = names.layer(config.layers - 1, names.of_layer.at("down").front());
  require(file.contains(last), file.path().string(), fmt::format("a tensor \"{}\"", last), "none");
  require_numbers_for(config, file, file.path().string());
  if (file.contains(rope_factors)) config.rope_scaling = scaling_of(file, config);
  return config;
}

}  // namespace

CausalLM load_gguf(const io::GgufFile& file) {
  file.require_readable();
  const TransformerConfig config = config_of(file);
  const WeightNames names = gguf_names();
  Generator unused(0);
  CausalLM model(config, unused);
  std::vector<WeightPart> parts = weight_parts(model.trunk(), names);
  if (config.output_layer == OutputLayer::separate) {
    parts.push_back({.name = names.of_model.at("output"), .rows = model.output().detach()});
  }
  require_parts(file, file.path().string(), parts, {rope_factors});
  read_parts(file, parts);
  if (family_of(config) != Family::llama) return model;  // the others rotate halves there, too
  for (WeightPart& part : parts) {
    if (part.rotates) part.rows.copy_(halves_from_pairs(part.rows, config.head_size()));
  }
  return model;
}

}  // namespace rlhf::model
