#include "rlhf/model/hugging_face.hpp"

#include <fmt/format.h>

#include "hugging_face_config.hpp"
#include "read_weights.hpp"
#include "rlhf/io/hugging_face_folder.hpp"
#include "rlhf/io/json.hpp"

namespace rlhf::model {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* score_weight = "score.weight";
constexpr const char* score_bias = "score.bias";

/// A folder's model before it is made: what names its tensors have, and that they are there.
struct Plan {
  TransformerConfig config;
  WeightNames names = {};
  std::set<std::string> passed_over = {};  ///< what older files hold and models make themselves
};

Plan plan_of(const io::HuggingFaceFolder& folder) {
  Plan plan{.config = transformer_config_of(folder.config(), folder.config_place())};
  const Family family = family_of(plan.config);
  // GPT-2's own files name the trunk's tensors as if there were nothing around it.
  const bool bare = family == Family::gpt2 && folder.contains("wte.weight");
  plan.names = bare ? hugging_face_names(family, "") : hugging_face_names(family);
  // What can be found before any memory is taken: the first matrix, the last, and how much there
  // is.
  const std::string& first = plan.names.of_model.at("embedding");
  const std::vector<int64_t> expected{plan.config.vocab_size, plan.config.dim};
  require(folder.tensor(first).shape == expected,
          folder.path().string() + ": shape of \"" + first + "\"", at::IntArrayRef(expected),
          at::IntArrayRef(folder.tensor(first).shape));
  const std::string last =
      plan.names.layer(plan.config.layers - 1, plan.names.of_layer.at("down").front());
  require(folder.contains(last), folder.path().string(), "a tensor \"" + last + "\"", "none");
  require_numbers_for(plan.config, folder, folder.path().string());

  plan.passed_over.insert(plan.names.of_model.at("output"));  // if it is tied
  for (int64_t layer = 0; layer < plan.config.layers; ++layer) {
    for (const char* name : {"self_attn.rotary_emb.inv_freq", "attn.bias", "attn.masked_bias"}) {
      plan.passed_over.insert(plan.names.layer(layer, name));
    }
  }
  return plan;
}

/// The parts as they stand in the file, in whose memory the bytes are; transposes some.
std::vector<io::TensorBytes> bytes_of(std::vector<WeightPart>& parts) {
  std::vector<io::TensorBytes> tensors;
  for (WeightPart& part : parts) {
    require(part.rows.device().is_cpu() && part.rows.scalar_type() == torch::kFloat32,
            "weights to write as a Hugging Face folder", "float32 on the CPU",
            c10::toString(part.rows.scalar_type()));
    if (part.transposed) part.rows = part.rows.t().contiguous();
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

std::vector<WeightPart> parts_of(const CausalLM& model, const WeightNames& names) {
  std::vector<WeightPart> parts = weight_parts(model.trunk(), names);
  if (model.config().output_layer == OutputLayer::separate) {
    parts.push_back({.name = names.of_model.at("output"), .rows = model.output().detach()});
  }
  return parts;
}

}  // namespace

TransformerConfig load_hugging_face_config(const fs::path& path) {
  const fs::path file = path / "config.json";
  const json config = io::read_json(file);
  require(config.is_object(), file.string(), "an object", config.type_name());
  return transformer_config_of(config, file.string());
}

CausalLM load_hugging_face(const fs::path& path) {
  const io::HuggingFaceFolder folder(path);
  const Plan plan = plan_of(folder);
  Generator unused(0);
  CausalLM model(plan.config, unused);
  const std::vector<WeightPart> parts = parts_of(model, plan.names);
  require_parts(folder, path.string(), parts, plan.passed_over);
  read_parts(folder, parts);
  return model;
}

ScalarModel load_hugging_face_scalar(const fs::path& path) {
  const io::HuggingFaceFolder folder(path);
  require(folder.contains(score_weight), path.string(),
          fmt::format("a tensor \"{}\": a sequence classifier with one label", score_weight),
          "none");
  Plan plan = plan_of(folder);
  plan.config.output_layer = OutputLayer::tied;  // it has none
  Generator unused(0);
  ScalarModel model(Transformer(plan.config, unused), 0.0, unused);
  std::vector<WeightPart> parts = weight_parts(model.trunk(), plan.names);
  append(parts, head_parts(model));
  if (!folder.contains(score_bias)) parts.pop_back();
  require_parts(folder, path.string(), parts, plan.passed_over);
  read_parts(folder, parts);
  return model;
}

void save_hugging_face(const fs::path& path, const CausalLM& model,
                       const std::map<std::string, std::string>& files) {
  const Family family = family_of(model.config());
  std::vector<WeightPart> parts = parts_of(model, hugging_face_names(family));
  io::write_hugging_face_folder(path, {.config = hugging_face_config(model.config(), "ForCausalLM"),
                                       .tensors = bytes_of(parts),
                                       .files = files});
}

void save_hugging_face(const fs::path& path, const ScalarModel& model,
                       const std::map<std::string, std::string>& files) {
  const TransformerConfig& shape = model.trunk().config();
  std::vector<WeightPart> parts = weight_parts(model.trunk(), hugging_face_names(family_of(shape)));
  append(parts, head_parts(model));
  if (parts.back().rows.item<float>() == 0) parts.pop_back();
  json config = hugging_face_config(shape, "ForSequenceClassification");
  config["num_labels"] = 1;
  config["id2label"] = {{"0", "LABEL_0"}};
  config["label2id"] = {{"LABEL_0", 0}};
  io::write_hugging_face_folder(
      path, {.config = std::move(config), .tensors = bytes_of(parts), .files = files});
}

}  // namespace rlhf::model
