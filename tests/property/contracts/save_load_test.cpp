// What was saved is loaded as it was, bit for bit.
#include <gtest/gtest.h>

#include "rlhf/checkpoint/checkpoint.hpp"
#include "rlhf/model/hugging_face.hpp"
#include "rlhf/model/lora_files.hpp"
#include "rlhf/model/save.hpp"
#include "rlhf/text/byte_level_bpe.hpp"
#include "support/cases.hpp"
#include "support/random_model.hpp"
#include "support/small_bpe.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

template <class M>
void expect_same(const M& saved, const M& loaded) {
  const auto a = saved.named_parameters(), b = loaded.named_parameters();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].first, b[i].first);
    EXPECT_TRUE(a[i].second.equal(b[i].second)) << a[i].first;
  }
}

/// A model some of whose numbers are extreme.
CausalLM random_model(const TransformerConfig& config, Generator& generator) {
  CausalLM model(config, generator);
  NoGrad no_grad;
  for (auto& [name, weight] : model.named_parameters()) {
    weight.mul_(std::pow(10.0, static_cast<double>(generator.below(40)) - 20.0));
  }
  return model;
}

TEST(SavedModels, AreLoadedAsTheyWere) {
  test::for_each_case(5, [](Generator& generator) {
    const test::TemporaryFolder folder;
    CausalLM model = random_model(test::random_config(generator), generator);
    model::save(folder / "model", model);
    const CausalLM loaded = model::load_causal_lm(folder / "model");
    EXPECT_EQ(loaded.config(), model.config());
    expect_same(model, loaded);

    const ScalarModel scalar(model.trunk(), 0.1, generator);
    model::save(folder / "scalar", scalar);
    expect_same(scalar, model::load_scalar_model(folder / "scalar"));

    ActorCritic both(std::move(model));
    model::save(folder / "both", both);
    expect_same(both, model::load_actor_critic(folder / "both"));
  });
}

/// A shape that one of Hugging Face's families has.
TransformerConfig named_config(Generator& generator) {
  while (true) {
    const TransformerConfig config = test::random_config(generator);
    const bool mixture = config.query_key_norm && config.bias != Bias::none;
    if (!mixture) return config;
  }
}

TEST(HuggingFaceFolders, AreLoadedAsTheyWereSaved) {
  test::for_each_case(5, [](Generator& generator) {
    const test::TemporaryFolder folder;
    const CausalLM model = random_model(named_config(generator), generator);
    model::save_hugging_face(folder / "model", model);
    expect_same(model, model::load_hugging_face(folder / "model"));
    const ScalarModel scalar(model.trunk(), 0.1, generator);
    model::save_hugging_face(folder / "scalar", scalar);
    expect_same(scalar, model::load_hugging_face_scalar(folder / "scalar"));
  });
}

TEST(SavedAdapters, AreLoadedAsTheyWere) {
  test::for_each_case(5, [](Generator& generator) {
    const test::TemporaryFolder folder;
    const CausalLM base(named_config(generator), generator);
    const LoraOptions options{.rank = 1 + generator.below(9),
                              .alpha = 0.5 + generator.uniform(),
                              .first_layer = generator.below(base.config().layers)};
    const CausalLM model = base.with_adapters(options, generator);
    NoGrad no_grad;
    for (auto& [name, weight] : model.named_parameters()) {
      if (name.ends_with("lora_b")) generator.fill_normal(weight, 0, 1);
    }
    model::save_lora(folder / "adapter", model);
    expect_same(model, model::load_lora(folder / "adapter", base));
  });
}

nlohmann::json random_json(Generator& generator, int64_t depth) {
  switch (generator.below(depth > 0 ? 8 : 6)) {
    case 0:
      return nullptr;
    case 1:
      return generator.below(2) == 0;
    case 2:
      return generator.bits();
    case 3:
      return -generator.below(int64_t{1} << 62);
    case 4:
      return std::ldexp(generator.uniform() - 0.5, static_cast<int>(generator.below(600)) - 300);
    case 5: {
      const char* texts[] = {"", "a", "\"\\\n\t", "\u00fc\u4e2d", "NaN"};
      return texts[generator.below(std::ssize(texts))];
    }
    case 6: {
      nlohmann::json list = nlohmann::json::array();
      for (int64_t i = generator.below(4); i > 0; --i) {
        list.push_back(random_json(generator, depth - 1));
      }
      return list;
    }
    default: {
      nlohmann::json object = nlohmann::json::object();
      for (int64_t i = generator.below(4); i > 0; --i) {
        object["key " + std::to_string(generator.below(100))] = random_json(generator, depth - 1);
      }
      return object;
    }
  }
}

/// Any bits: NaN and infinity too.
Tensor random_tensor(Generator& generator) {
  const at::ScalarType types[] = {torch::kFloat32,  torch::kFloat64, torch::kFloat16,
                                  torch::kBFloat16, torch::kInt64,   torch::kInt32,
                                  torch::kUInt8,    torch::kBool};
  std::vector<int64_t> sizes;
  for (int64_t i = generator.below(4); i > 0; --i) sizes.push_back(generator.below(5));
  Tensor tensor = torch::empty(sizes, types[generator.below(std::ssize(types))]);
  auto* bytes = static_cast<uint8_t*>(tensor.mutable_data_ptr());
  const uint64_t values = tensor.scalar_type() == torch::kBool ? 2 : 256;
  for (size_t i = 0; i < tensor.nbytes(); ++i) {
    bytes[i] = static_cast<uint8_t>(generator.bits() % values);
  }
  return tensor;
}

std::string_view bytes_of(const Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()};
}

TEST(Checkpoints, AreLoadedAsTheyWereSaved) {
  test::for_each_case(10, [](Generator& generator) {
    const test::TemporaryFolder folder;
    Checkpoint saved;
    for (int64_t i = generator.below(6); i > 0; --i) {
      saved.tensors.emplace_back("part/" + std::to_string(i), random_tensor(generator));
    }
    saved.state["any"] = random_json(generator, 4);
    checkpoint::save(folder / "one", saved);
    const Checkpoint loaded = checkpoint::load(folder / "one");
    EXPECT_EQ(loaded.state, saved.state);
    ASSERT_EQ(loaded.tensors.size(), saved.tensors.size());
    std::map<std::string, Tensor> by_name(loaded.tensors.begin(), loaded.tensors.end());
    for (const auto& [name, tensor] : saved.tensors) {
      const Tensor& other = by_name.at(name);
      EXPECT_EQ(other.sizes(), tensor.sizes());
      EXPECT_EQ(other.scalar_type(), tensor.scalar_type());
      EXPECT_EQ(bytes_of(other), bytes_of(tensor)) << name;
    }
  });
}

TEST(SavedTokenizers, AreLoadedAsTheyWere) {
  test::for_each_case(10, [](Generator& generator) {
    // Merges of what is there already, each once.
    std::vector<std::string> pieces{"a", "b", "c", " ", "\xc3", "\xa9"};
    std::vector<std::pair<std::string, std::string>> merges;
    std::set<std::string> made(pieces.begin(), pieces.end());
    for (int i = 0; i < 30; ++i) {
      const auto& left = pieces[static_cast<size_t>(generator.below(std::ssize(pieces)))];
      const auto& right = pieces[static_cast<size_t>(generator.below(std::ssize(pieces)))];
      if (left.size() + right.size() > 8 || !made.insert(left + right).second) continue;
      merges.emplace_back(left, right);
      pieces.push_back(left + right);
    }
    BpeParts parts = test::small_bpe(merges, {{.content = "<end>", .kind = TokenKind::end}});
    parts.tokens.push_back("<end>");
    parts.rules.ignore_merges = generator.below(2) == 0;
    if (generator.below(2) == 0) parts.rules.normalization = Normalization::nfc;
    const ByteLevelBpe saved(parts);
    const test::TemporaryFolder folder;
    saved.save(folder.path());
    const ByteLevelBpe loaded = ByteLevelBpe::load(folder.path());
    EXPECT_EQ(loaded.end_tokens(), saved.end_tokens());
    EXPECT_EQ(loaded.merges(), saved.merges());
    std::string text;
    for (int i = 0; i < 200; ++i) {
      text += pieces[static_cast<size_t>(generator.below(std::ssize(pieces)))];
      if (generator.below(20) == 0) text += "<end>";
      if (generator.below(20) == 0) text += static_cast<char>(generator.below(256));
    }
    EXPECT_EQ(loaded.encode(text), saved.encode(text));
  });
}

}  // namespace
}  // namespace rlhf
