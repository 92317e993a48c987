#include "rlhf/objective/objective.hpp"

#include <map>

#include "golden/golden.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf::objective {
namespace {

using test::golden_leaf;
using test::golden_optional;
using test::golden_tensor;
using test::json;
using test::read_golden;
using test::TensorNear;

/// Two programs that add the same float64 numbers in another order.
constexpr double rounding = 1e-12;

using Named = std::map<std::string, Tensor>;

void expect_outputs(const json& record, const Named& outputs) {
  EXPECT_EQ(record["outputs"].size(), outputs.size());
  for (const auto& [name, output] : outputs) {
    EXPECT_THAT(output,
                TensorNear(golden_tensor(record["outputs"][name]).to(torch::kDouble), rounding))
        << name;
  }
}

/// Runs backward from the loss, or from the case's cotangent, and compares every recorded gradient.
void expect_gradients(const json& record, const Tensor& output, const Named& leaves) {
  EXPECT_EQ(record["gradients"].size(), leaves.size());
  const json& inputs = record["inputs"];
  output.backward(inputs.contains("cotangent") ? golden_tensor(inputs["cotangent"]) : Tensor());
  for (const auto& [name, input] : leaves) {
    EXPECT_THAT(input.grad(), TensorNear(golden_tensor(record["gradients"][name]), rounding))
        << name;
  }
}

void for_each_case(const char* file, const char* function, void (*run)(const json& record)) {
  const json records = read_golden(file)[function];
  ASSERT_FALSE(records.empty());
  for (const json& record : records) {
    SCOPED_TRACE(record["name"].get<std::string>());
    run(record);
  }
}

TEST(Golden, TokenLogProbs) {
  for_each_case("log_probs", "token_log_probs", [](const json& record) {
    const json& in = record["inputs"];
    const Tensor logits = golden_leaf(in["logits"]);
    const Tensor result = token_log_probs(logits, golden_tensor(in["targets"]), in["temperature"]);
    expect_outputs(record, {{"log_probs", result}});
    expect_gradients(record, result, {{"logits", logits}});
  });
}

TEST(Golden, Entropy) {
  for_each_case("log_probs", "entropy", [](const json& record) {
    const Tensor logits = golden_leaf(record["inputs"]["logits"]);
    const Tensor result = entropy(logits, record["inputs"]["temperature"]);
    expect_outputs(record, {{"entropy", result}});
    expect_gradients(record, result, {{"logits", logits}});
  });
}

TEST(Golden, KlEstimators) {
  for_each_case("kl", "kl", [](const json& record) {
    const std::map<std::string, KlEstimator> estimators{{"k1", KlEstimator::k1},
                                                        {"abs", KlEstimator::abs},
                                                        {"k2", KlEstimator::k2},
                                                        {"k3", KlEstimator::k3}};
    const json& in = record["inputs"];
    const Tensor log_probs = golden_leaf(in["log_probs"]);
    const Tensor ref_log_probs = golden_leaf(in["ref_log_probs"]);
    const Tensor result = kl(log_probs, ref_log_probs, estimators.at(in["estimator"]));
    expect_outputs(record, {{"kl", result}});
    expect_gradients(record, result, {{"log_probs", log_probs}, {"ref_log_probs", ref_log_probs}});
  });
}

TEST(Golden, FullKl) {
  for_each_case("kl", "full_kl", [](const json& record) {
    const json& in = record["inputs"];
    const Tensor logits = golden_leaf(in["logits"]), ref_logits = golden_leaf(in["ref_logits"]);
    const Tensor result = full_kl(logits, ref_logits, in["temperature"]);
    expect_outputs(record, {{"kl", result}});
    expect_gradients(record, result, {{"logits", logits}, {"ref_logits", ref_logits}});
  });
}

TEST(Golden, AdaptiveKl) {
  for_each_case("kl", "adaptive_kl", [](const json& record) {
    const json& in = record["inputs"];
    AdaptiveKl controller(in["initial"], in["target"], in["horizon"]);
    for (const json& update : record["outputs"]["updates"]) {
      controller.update(update["kl"], update["episodes"]);
      EXPECT_DOUBLE_EQ(controller.coefficient(), update["coefficient"].get<double>());
    }
  });
}

TEST(Golden, Gae) {
  for_each_case("advantages", "gae", [](const json& record) {
    const json& in = record["inputs"];
    const auto [advantages, returns] =
        gae(golden_tensor(in["rewards"]), golden_tensor(in["values"]), golden_tensor(in["mask"]),
            {.gamma = in["gamma"], .lambda = in["lambda"]});
    expect_outputs(record, {{"advantages", advantages}, {"returns", returns}});
  });
}

TEST(Golden, KlShapedRewards) {
  for_each_case("advantages", "kl_shaped_rewards", [](const json& record) {
    const json& in = record["inputs"];
    const Tensor scores = golden_leaf(in["scores"]), kl = golden_leaf(in["kl"]);
    const Tensor result =
        kl_shaped_rewards(scores, kl, golden_tensor(in["mask"]), in["coefficient"]);
    expect_outputs(record, {{"rewards", result}});
    expect_gradients(record, result, {{"scores", scores}, {"kl", kl}});
  });
}

TEST(Golden, Whiten) {
  for_each_case("advantages", "whiten", [](const json& record) {
    const json& in = record["inputs"];
    const Tensor x = golden_leaf(in["x"]);
    const Tensor result = whiten(x, golden_tensor(in["mask"]),
                                 in["mean"] == "keep" ? WhitenMean::keep : WhitenMean::remove);
    expect_outputs(record, {{"whitened", result}});
    expect_gradients(record, result, {{"x", x}});
  });
}

TEST(Golden, GroupAdvantages) {
  for_each_case("advantages", "grpo_advantages", [](const json& record) {
    const json& in = record["inputs"];
    expect_outputs(record,
                   {{"advantages", grpo_advantages(golden_tensor(in["scores"]),
                                                   golden_tensor(in["groups"]), in["epsilon"])}});
  });
  for_each_case("advantages", "rloo_advantages", [](const json& record) {
    const json& in = record["inputs"];
    expect_outputs(record, {{"advantages", rloo_advantages(golden_tensor(in["scores"]),
                                                           golden_tensor(in["groups"]))}});
  });
}

TEST(Golden, PolicyLoss) {
  for_each_case("ppo", "ppo_policy_loss", [](const json& record) {
    const json& in = record["inputs"];
    const Tensor log_probs = golden_leaf(in["log_probs"]);
    const PolicyLoss result = ppo_policy_loss(
        log_probs, golden_tensor(in["old_log_probs"]), golden_tensor(in["advantages"]),
        golden_tensor(in["mask"]), {.low = in["low"], .high = in["high"], .dual = in["dual"]},
        golden_optional(in["denominator"]));
    expect_outputs(record, {{"loss", result.loss},
                            {"clip_fraction", result.clip_fraction},
                            {"approx_kl", result.approx_kl},
                            {"ratio_mean", result.ratio_mean}});
    expect_gradients(record, result.loss, {{"log_probs", log_probs}});
  });
}

TEST(Golden, ValueLoss) {
  for_each_case("ppo", "ppo_value_loss", [](const json& record) {
    const json& in = record["inputs"];
    const Tensor values = golden_leaf(in["values"]);
    const ValueLoss result =
        ppo_value_loss(values, golden_tensor(in["old_values"]), golden_tensor(in["returns"]),
                       golden_tensor(in["mask"]), in["clip"], golden_optional(in["denominator"]));
    expect_outputs(record, {{"loss", result.loss}, {"clip_fraction", result.clip_fraction}});
    expect_gradients(record, result.loss, {{"values", values}});
  });
}

TEST(Golden, RankingLoss) {
  for_each_case("ranking", "ranking_loss", [](const json& record) {
    const json& in = record["inputs"];
    const Tensor scores = golden_leaf(in["scores"]);
    const auto ranks =
        in["ranks"].is_null() ? std::nullopt : std::optional(golden_tensor(in["ranks"]));
    const RankingLoss result = ranking_loss(scores, golden_tensor(in["group_sizes"]), ranks,
                                            in["margin"], golden_optional(in["denominator"]));
    expect_outputs(
        record, {{"loss", result.loss}, {"accuracy", result.accuracy}, {"margin", result.margin}});
    expect_gradients(record, result.loss, {{"scores", scores}});
  });
}

TEST(Golden, DpoLoss) {
  for_each_case("dpo", "dpo_loss", [](const json& record) {
    const json& in = record["inputs"];
    const Tensor chosen = golden_leaf(in["chosen"]), rejected = golden_leaf(in["rejected"]);
    const Tensor ref_chosen = golden_leaf(in["ref_chosen"]);
    const Tensor ref_rejected = golden_leaf(in["ref_rejected"]);
    const Tensor result = dpo_loss(chosen, rejected, ref_chosen, ref_rejected, in["beta"]);
    expect_outputs(record, {{"loss", result}});
    expect_gradients(record, result,
                     {{"chosen", chosen},
                      {"rejected", rejected},
                      {"ref_chosen", ref_chosen},
                      {"ref_rejected", ref_rejected}});
  });
}

}  // namespace
}  // namespace rlhf::objective
