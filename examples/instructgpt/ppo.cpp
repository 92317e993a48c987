/// InstructGPT's third step: the policy learns what the reward model likes, held to what it was.
///
///   ppo --policy runs/sft --reward-model runs/reward --train prompts.jsonl --out runs/ppo
#include "rlhf/trainer/ppo.hpp"
#include "common/dataset.hpp"
#include "common/ppo_options.hpp"
#include "common/run.hpp"
#include "common/samples.hpp"
#include "rlhf/data/loader.hpp"
#include "rlhf/model/frozen.hpp"
#include "rlhf/rollout/sample.hpp"

namespace instructgpt {
namespace {

/// Responses to prompts that are not learnt from, always by the same random numbers.
template <class Trainer>
Evaluation evaluate_policy(Trainer& trainer, const rlhf::CausalLM& policy,
                           const rlhf::Completions& prompts,
                           const rlhf::SamplingOptions& sampling) {
  rlhf::Generator generator(1);
  const rlhf::Rollout rollout = rlhf::rollout::sample(policy, prompts, sampling, generator);
  const rlhf::PpoStats stats =
      rlhf::trainer::describe(trainer.advantages(trainer.score(rollout)), trainer.kl_coefficient());
  return {.score = stats.score_mean,
          .metrics = {{"eval_score_mean", stats.score_mean},
                      {"eval_kl_k3", stats.kl_k3},
                      {"eval_response_length", stats.response_length},
                      {"eval_eos_share", stats.eos_share}}};
}

void reinforce(const Program& program, const PpoCommandOptions& o) {
  o.run.prepare();
  const ModelFolder folder(o.policy), reward_folder(o.reward_model);
  const rlhf::TransformerConfig policy_shape = rlhf::model::load_hugging_face_config(o.policy),
                                reward_shape =
                                    rlhf::model::load_hugging_face_config(o.reward_model);
  folder.require_fits(policy_shape.vocab_size);
  reward_folder.require_fits(reward_shape.vocab_size);
  folder.require_same_tokenizer(reward_folder);
  o.require_fits(policy_shape, reward_shape);
  const int64_t context = policy_shape.context_length;
  const auto data = read_dataset<rlhf::data::Prompt>(folder, o.data_within(context), o.run.seed);
  o.memory_of(policy_shape, reward_shape, data.training, data.held_out ? data.held_out->size() : 0)
      .require_fits(o.run.memory);

  rlhf::Generator generator(o.run.seed);
  rlhf::CausalLM policy = o.tuning.policy_of(rlhf::model::load_hugging_face(o.policy), generator);
  rlhf::RewardModel reward_model(rlhf::model::load_hugging_face_scalar(o.reward_model));
  policy.compute_in(o.run.precision);
  reward_model.compute_in(o.run.precision);
  rlhf::Frozen reference{o.tuning.has_lora() ? policy.view() : policy.clone()};
  rlhf::ValueModel critic = o.critic_of(policy, reward_model, generator);
  rlhf::AnyReward reward = o.reward_of(reward_model);

  rlhf::Loader loader{data.training, {.batch_size = o.prompts_a_step(), .seed = o.run.seed}};
  const rlhf::TrainOptions plan = o.loop.plan(loader.batches_left(), data.held_out.has_value());
  const rlhf::PpoOptions options = o.ppo_over(plan.steps, folder.tokenizer().end_tokens());
  std::function<rlhf::Completions()> pretraining;
  if (!o.ptx_train.empty()) {
    pretraining = endless_batches(o.ptx_train, folder, o.data.within(context, "the context"),
                                  o.ptx_batch_size, o.run.seed);
  }
  rlhf::PpoTrainer trainer{
      policy, critic, reward, reference, generator, options, std::move(pretraining)};
  Evaluate evaluate;
  if (data.held_out) {
    evaluate = [&] { return evaluate_policy(trainer, policy, *data.held_out, options.sampling); };
  }
  Samples samples(folder, data.held_out.value_or(data.training), context, options.sampling);
  samples.add("before", policy);

  Run run(program, o.run, plan.steps, {"score_mean", "kl_k3", "eval_score_mean"});
  rlhf::BestWeights best(policy.named_parameters());
  run.train(trainer, loader, plan, evaluate, o.loop.keep_best ? &best : nullptr);
  samples.add("after", policy);
  run.report({"eval_score_mean", "eval_kl_k3", "score_mean", "kl_k3"}, samples.exchanges());
  folder.save(o.run.out, policy);
}

}  // namespace
}  // namespace instructgpt

int main(int argc, char** argv) {
  instructgpt::Program program("ppo", "InstructGPT, step 3: reinforcement learning by PPO");
  instructgpt::PpoCommandOptions options;
  options.add_to(program);
  return program.run(argc, argv, [&] {
    options.run.apply();
    instructgpt::reinforce(program, options);
  });
}
