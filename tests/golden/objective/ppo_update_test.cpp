#include "golden/tiny_policy.hpp"
#include "rlhf/core/random.hpp"
#include "rlhf/objective/objective.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf {
namespace {

using namespace objective;
using test::json;
using test::PpoUpdate;
using test::TensorNear;

/// Float64 through four steps of AdamW: sums in another order grow by no more than this.
constexpr double rounding = 1e-12;

TEST(PpoUpdate, ModelsAgreeBeforeTheUpdate) {
  const PpoUpdate golden;
  const Completions completions = golden.completions();
  completions.validate();
  const EvaluateOptions options{.temperature = golden.option("temperature"), .entropy = true};
  const TokenOutputs policy = golden.policy.evaluate(completions, options);
  EXPECT_TRUE(mask_of(completions).equal(golden.tensor("mask")));
  EXPECT_THAT(policy.log_probs, TensorNear(golden.tensor("log_probs"), rounding));
  EXPECT_THAT(*policy.entropy, TensorNear(golden.tensor("entropy"), rounding));
  EXPECT_THAT(golden.reference.evaluate(completions, options).log_probs,
              TensorNear(golden.tensor("ref_log_probs"), rounding));
  EXPECT_THAT(*golden.critic.evaluate(completions, options).values,
              TensorNear(golden.tensor("values"), rounding));
}

TEST(PpoUpdate, ExperienceAgrees) {
  const PpoUpdate golden;
  const Tensor mask = golden.tensor("mask");
  const Tensor per_token =
      kl(golden.tensor("log_probs"), golden.tensor("ref_log_probs"), KlEstimator::k1);
  EXPECT_THAT(per_token, TensorNear(golden.tensor("kl"), rounding));
  const Tensor rewards =
      kl_shaped_rewards(golden.tensor("scores"), per_token, mask, golden.option("kl_coefficient"));
  EXPECT_THAT(rewards, TensorNear(golden.tensor("rewards"), rounding));
  const auto [advantages, returns] =
      gae(rewards, golden.tensor("values"), mask,
          {.gamma = golden.option("gamma"), .lambda = golden.option("lambda")});
  EXPECT_THAT(advantages, TensorNear(golden.tensor("raw_advantages"), rounding));
  EXPECT_THAT(returns, TensorNear(golden.tensor("returns"), rounding));
  EXPECT_THAT(whiten(advantages, mask), TensorNear(golden.tensor("advantages"), rounding));
}

TEST(PpoUpdate, TheOrderOfItsMinibatchesIsTheGeneratorsOwn) {
  const PpoUpdate golden;
  Generator generator(golden.record["generator_seed"].get<uint64_t>());
  for (const json& epoch : golden.record["minibatches"]) {
    std::vector<int64_t> order;
    for (const json& rows : epoch) order.insert(order.end(), rows.begin(), rows.end());
    EXPECT_EQ(int64_vector(generator.permutation(static_cast<int64_t>(order.size()))), order);
  }
}

void expect_parameters(const std::vector<NamedTensor>& parameters, const json& expected) {
  for (const auto& [name, x] : parameters) {
    EXPECT_THAT(x, TensorNear(test::golden_tensor(expected[name]), rounding)) << name;
  }
}

TEST(PpoUpdate, EveryStepAndTheFinalParametersAgree) {
  const PpoUpdate golden;
  const Completions all = golden.completions();
  AdamW policy_optimizer(golden.policy.named_parameters(), golden.adamw_options());
  AdamW critic_optimizer(golden.critic.named_parameters(), golden.adamw_options());
  auto step = golden.record["steps"].begin();
  const auto agrees = [&](const char* name, double actual) {
    EXPECT_NEAR(actual, (*step)[name].get<double>(), rounding) << name;
  };
  for (const json& epoch : golden.record["minibatches"]) {
    for (const json& chosen : epoch) {
      const Tensor rows = test::golden_tensor(chosen);
      const Completions batch = select(all, rows);
      const auto cut = [&](const char* name) {
        return golden.tensor(name).index_select(0, rows).narrow(1, 0, batch.longest_response());
      };
      const EvaluateOptions options{.temperature = golden.option("temperature")};
      const double clip = golden.option("clip");
      const PolicyLoss policy =
          ppo_policy_loss(golden.policy.evaluate(batch, options).log_probs, cut("log_probs"),
                          cut("advantages"), mask_of(batch), {.low = clip, .high = clip});
      const ValueLoss value =
          ppo_value_loss(*golden.critic.evaluate(batch, options).values, cut("values"),
                         cut("returns"), mask_of(batch), golden.option("value_clip"));
      (policy.loss + golden.option("value_coefficient") * value.loss).backward();
      agrees("policy_loss", policy.loss.item<double>());
      agrees("clip_fraction", policy.clip_fraction.item<double>());
      agrees("approx_kl", policy.approx_kl.item<double>());
      agrees("ratio_mean", policy.ratio_mean.item<double>());
      agrees("value_loss", value.loss.item<double>());
      agrees("value_clip_fraction", value.clip_fraction.item<double>());
      agrees("policy_gradient_norm", policy_optimizer.step());
      agrees("critic_gradient_norm", critic_optimizer.step());
      ++step;
    }
  }
  expect_parameters(golden.policy.named_parameters(), golden.record["final"]["policy"]);
  expect_parameters(golden.critic.named_parameters(), golden.record["final"]["critic"]);
}

}  // namespace
}  // namespace rlhf
