#include "rlhf/model/hugging_face.hpp"

#include <fmt/format.h>

#include "hugging_face_config.hpp"
#include "read_weights.hpp"
#include "rlhf/io/hugging_face_folder.hpp"

namespace rlhf::model {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* score_weight = "score.weight";
constexpr const char* score_bias = "score.bias";

/// Tensors that older files hold and models make themselves, and an output layer that is tied.
std::set<std::string> needless_tensors(const TransformerConfig& config) {
  std::set<std::string> names{hugging_face_names().output};
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    names.insert(fmt::format("model.layers.{}.self_attn.rotary_emb.inv_freq", layer));
  }
  return names;
}

/// What can be found before any memory is taken: the first matrix, the last, and how much there is.
void require_weights_of(const io::HuggingFaceFolder& folder, const TransformerConfig& config) {
  const std::string name = hugging_face_names().embedding;
  const std::vector<int64_t> expected{config.vocab_size, config.dim};
  require(folder.tensor(name).shape == expected,
          folder.path().string() + ": shape of \"" + name + "\"", at::IntArrayRef(expected),
          at::IntArrayRef(folder.tensor(name).shape));
  const std::string last = hugging_face_names().down(config.layers - 1);
  require(folder.contains(last), folder.path().string(), "a tensor \"" + last + "\"", "none");
  require_numbers_for(config, folder, folder.path().string());
}

std::vector<io::TensorBytes> bytes_of(const std::vector<WeightPart>& parts) {
  std::vector<io::TensorBytes> tensors;
  for (const WeightPart& part : parts) {
    require(part.rows.device().is_cpu() && part.rows.scalar_type() == torch::kFloat32,
            "weights to write as a Hugging Face folder", "float32 on the CPU",
            c10::toString(part.rows.scalar_type()));
    tensors.push_back({.name = part.name,
                       .dtype = io::Dtype::f32,
                       .shape = part.rows.sizes().vec(),
                       .bytes = {static_cast<const char*>(part.rows.const_data_ptr()),
                                 static_cast<size_t>(part.rows.nbytes())}});
  }
  return tensors;
}

/// Head weight [1, dim] and, where it has one, bias [1].
std::vector<WeightPart> head_parts(const ScalarModel& model) {
  std::vector<WeightPart> parts;
  for (const auto& [name, weight] : model.named_parameters()) {
    if (name == "head.weight") parts.push_back({.name = score_weight, .rows = weight.detach()});
    if (name == "head.bias") parts.push_back({.name = score_bias, .rows = weight.detach()});
  }
  return parts;
}

void append(std::vector<WeightPart>& parts, const std::vector<WeightPart>& more) {
  parts.insert(parts.end(), more.begin(), more.end());
}

}  // namespace

CausalLM load_hugging_face(const fs::path& path) {
  const io::HuggingFaceFolder folder(path);
  const TransformerConfig config = transformer_config_of(folder.config(), folder.config_place());
  require_weights_of(folder, config);
  Generator unused(0);
  CausalLM model(config, unused);
  std::vector<WeightPart> parts = weight_parts(model.trunk(), hugging_face_names());
  if (config.output_layer == OutputLayer::separate) {
    parts.push_back({.name = hugging_face_names().output, .rows = model.output().detach()});
  }
  require_parts(folder, path.string(), parts, needless_tensors(config));
  read_parts(folder, parts);
  return model;
}

ScalarModel load_hugging_face_scalar(const fs::path& path) {
  const io::HuggingFaceFolder folder(path);
  TransformerConfig config = transformer_config_of(folder.config(), folder.config_place());
  config.output_layer = OutputLayer::tied;  // it has none
  require(folder.contains(score_weight), path.string(),
          fmt::format("a tensor \"{}\": a sequence classifier with one label", score_weight),
          "none");
  require_weights_of(folder, config);
  Generator unused(0);
  ScalarModel model(Transformer(config, unused), 0.0, unused);
  std::vector<WeightPart> parts = weight_parts(model.trunk(), hugging_face_names());
  append(parts, head_parts(model));
  if (!folder.contains(score_bias)) parts.pop_back();
  require_parts(folder, path.string(), parts, needless_tensors(config));
  read_parts(folder, parts);
  return model;
}

void save_hugging_face(const fs::path& path, const CausalLM& model,
                       const std::map<std::string, std::string>& files) {
  std::vector<WeightPart> parts = weight_parts(model.trunk(), hugging_face_names());
  if (model.config().output_layer == OutputLayer::separate) {
    parts.push_back({.name = hugging_face_names().output, .rows = model.output().detach()});
  }
  io::write_hugging_face_folder(
      path,
      {.config = hugging_face_config(model.config()), .tensors = bytes_of(parts), .files = files});
}

void save_hugging_face(const fs::path& path, const ScalarModel& model,
                       const std::map<std::string, std::string>& files) {
  std::vector<WeightPart> parts = weight_parts(model.trunk(), hugging_face_names());
  append(parts, head_parts(model));
  if (parts.back().rows.item<float>() == 0) parts.pop_back();
  json config = hugging_face_config(model.trunk().config());
  config["architectures"] = {"LlamaForSequenceClassification"};
  config["num_labels"] = 1;
  config["id2label"] = {{"0", "LABEL_0"}};
  config["label2id"] = {{"LABEL_0", 0}};
  io::write_hugging_face_folder(
      path, {.config = std::move(config), .tensors = bytes_of(parts), .files = files});
}

}  // namespace rlhf::model
