#include "golden/tiny_policy.hpp"
#include "rlhf/trainer/ppo.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf {
namespace {

using test::json;
using test::PpoUpdate;
using test::TensorNear;

/// Float64 through four steps of AdamW: sums in another order grow by no more than this.
constexpr double rounding = 1e-12;

PpoOptions options_of(const PpoUpdate& golden) {
  const double clip = golden.option("clip");
  PpoOptions options;
  options.sampling.temperature = golden.option("temperature");
  options.kl.coefficient = golden.option("kl_coefficient");
  options.gae = {.gamma = golden.option("gamma"), .lambda = golden.option("lambda")};
  options.clip = {.low = clip, .high = clip};
  options.value_clip = golden.option("value_clip");
  options.value_coefficient = golden.option("value_coefficient");
  options.epochs = std::ssize(golden.record["minibatches"]);
  options.minibatches = std::ssize(golden.record["minibatches"][0]);
  options.policy_optimizer = options.critic_optimizer = golden.adamw_options();
  return options;
}

void expect_parameters(const std::vector<NamedTensor>& parameters, const json& expected) {
  for (const auto& [name, x] : parameters) {
    EXPECT_THAT(x, TensorNear(test::golden_tensor(expected[name]), rounding)) << name;
  }
}

TEST(PpoTrainer, AWholeUpdateAgreesWithTheIndependentProgram) {
  PpoUpdate golden;
  auto reward = [&](const Rollout&) { return golden.tensor("scores"); };
  Generator generator(golden.record["generator_seed"].get<uint64_t>());
  PpoTrainer trainer{golden.policy,    golden.critic, reward,
                     golden.reference, generator,     options_of(golden)};

  Rollout rollout;
  rollout.completions = golden.completions();
  rollout.finish.assign(static_cast<size_t>(rollout.completions.size()), Finish::eos);
  const Experience experience = trainer.advantages(trainer.score(rollout));
  EXPECT_THAT(experience.rewards, TensorNear(golden.tensor("rewards"), rounding));
  EXPECT_THAT(experience.advantages, TensorNear(golden.tensor("advantages"), rounding));
  EXPECT_THAT(experience.returns, TensorNear(golden.tensor("returns"), rounding));

  const PpoStats stats = trainer.update(experience);
  expect_parameters(golden.policy.named_parameters(), golden.record["final"]["policy"]);
  expect_parameters(golden.critic.named_parameters(), golden.record["final"]["critic"]);
  double loss = 0;
  for (const json& step : golden.record["steps"]) loss += step["policy_loss"].get<double>();
  EXPECT_NEAR(stats.policy_loss, loss / static_cast<double>(golden.record["steps"].size()),
              rounding);
}

}  // namespace
}  // namespace rlhf
