#include "rlhf/model/gguf.hpp"

#include <fmt/format.h>

#include "read_weights.hpp"

namespace rlhf::model {
namespace {

constexpr const char* rope_factors = "rope_freqs.weight";

/// The file's metadata under "llama.".
class Keys {
 public:
  explicit Keys(const io::GgufMetadata& metadata) : metadata_(metadata) {}
  static std::string name(const char* key) { return fmt::format("llama.{}", key); }
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
};

TransformerConfig config_of(const io::GgufFile& file) {
  const io::GgufMetadata& metadata = file.metadata();
  const std::string architecture = metadata.text("general.architecture");
  require(architecture == "llama", metadata.place("general.architecture"), "\"llama\"",
          fmt::format("\"{}\"", architecture));
  require(!file.contains(rope_factors), file.path().string(),
          "no scaled rotation, which stands in a tensor", fmt::format("\"{}\"", rope_factors));
  const Keys keys(metadata);
  const WeightNames names = gguf_names();
  const io::GgufTensor& embedding = file.tensor(names.embedding);
  require(embedding.shape.size() == 2, file.path().string() + ": " + names.embedding, "a matrix",
          at::IntArrayRef(embedding.shape));
  TransformerConfig config{
      .vocab_size = embedding.shape[0],
      .dim = keys.size("embedding_length"),
      .hidden_dim = keys.size("feed_forward_length"),
      .layers = keys.size("block_count"),
      .heads = keys.size("attention.head_count"),
      .context_length = keys.size("context_length"),
      .norm_epsilon = keys.number("attention.layer_norm_rms_epsilon"),
      .output_layer = file.contains(names.output) ? OutputLayer::separate : OutputLayer::tied};
  if (keys.has("attention.head_count_kv")) config.kv_heads = keys.size("attention.head_count_kv");
  if (keys.has("attention.key_length")) config.head_dim = keys.size("attention.key_length");
  if (keys.has("rope.freq_base")) config.rope_base = keys.number("rope.freq_base");
  try {
    config.validate();
  } catch (const Error& error) {
    fail(fmt::format("{}: {}", file.path().string(), error.what()));
  }
  require(file.contains(names.down(config.layers - 1)), file.path().string(),
          fmt::format("a tensor \"{}\"", names.down(config.layers - 1)), "none");
  require_numbers_for(config, file, file.path().string());
  return config;
}

}  // namespace

CausalLM load_gguf(const io::GgufFile& file) {
  file.require_readable();
  const TransformerConfig config = config_of(file);
  Generator unused(0);
  CausalLM model(config, unused);
  std::vector<WeightPart> parts = weight_parts(model.trunk(), gguf_names());
  if (config.output_layer == OutputLayer::separate) {
    parts.push_back({.name = gguf_names().output, .rows = model.output().detach()});
  }
  require_parts(file, file.path().string(), parts, {});
  read_parts(file, parts);
  for (WeightPart& part : parts) {
    if (part.rotates) part.rows.copy_(halves_from_pairs(part.rows, config.head_size()));
  }
  return model;
}

}  // namespace rlhf::model
