/// InstructGPT's second step: a model learns to score responses as people rank them.
///
///   reward_model --model runs/sft --train rankings.jsonl --out runs/reward
#include "rlhf/reward/reward_model.hpp"
#include "common/dataset.hpp"
#include "common/memory.hpp"
#include "common/run.hpp"
#include "common/tuning.hpp"
#include "rlhf/data/loader.hpp"
#include "rlhf/trainer/reward.hpp"

namespace instructgpt {
namespace {

struct Options {
  std::filesystem::path model, centre;
  RunOptions run;
  DataOptions data;
  LoopOptions loop{.epochs = 1, .batch_size = 64};
  TuningOptions tuning;
  OptimizerOptions optimizer{
      .adamw = {.learning_rate = 9e-6, .beta2 = 0.95},
      .schedule = {.shape = rlhf::Schedule::Shape::cosine, .final_fraction = 0.1}};

  void add_to(Program& program) {
    Group group = program.group("Model");
    group
        .add("--model", model,
             "folder of a language model, as sft makes it; its last layer is replaced by a new "
             "head of one number",
             "no default; Ouyang 2022: the SFT model")
        ->required()
        ->check(CLI::ExistingDirectory);
    group
        .add("--centre", centre,
             "JSONL of demonstrations whose mean score is moved to 0 at the end, by a bias that "
             "transformers passes over",
             "none, as TRL; Ouyang 2022: the demonstrations")
        ->check(CLI::ExistingFile);
    run.add_to(program);
    data.add_to(program,
                "chosen and rejected, with or without prompt, or prompt and responses, "
                "best first",
                "of a prompt and one response; 0: the model's context");
    loop.add_to(program, {.epochs = "Ouyang 2022, appendix C.2; TRL: 3",
                          .batch_size = "Ouyang 2022, appendix C.2; TRL: 8",
                          .batch_help = "rankings in a step"});
    tuning.add_to(program);
    optimizer.add_to(program, {.learning_rate = "Ouyang 2022, appendix C.2; TRL: 1e-4",
                               .schedule = "Ouyang 2022, appendix C.2; TRL: linear"});
  }
};

/// A new head on the trunk of the folder's language model, or on a view of it with adapters.
rlhf::RewardModel new_reward_model(const ModelFolder& folder, const TuningOptions& tuning,
                                   uint64_t seed) {
  rlhf::Generator generator(seed);
  rlhf::CausalLM language_model =
      tuning.policy_of(rlhf::model::load_hugging_face(folder.path()), generator);
  return {std::move(language_model.trunk()), generator};
}

MemoryTable memory_of(const rlhf::TransformerConfig& config, const rlhf::Rankings& rankings,
                      const Options& o) {
  // A ranking goes through the model as a whole.
  const rlhf::Tensor ends = rankings.group_sizes.cumsum(0) - 1;
  const rlhf::Tensor up_to = rankings.completions.lengths().cumsum(0).index_select(0, ends);
  const rlhf::Tensor lengths =
      torch::cat({up_to.narrow(0, 0, 1),
                  up_to.narrow(0, 1, up_to.size(0) - 1) - up_to.narrow(0, 0, up_to.size(0) - 1)});
  const LargestPass pass = largest_pass(lengths, o.loop.batch_size, o.loop.micro_batch_tokens);
  rlhf::model::MemoryPlan plan = o.tuning.memory_plan(o.run.precision);
  plan.head = rlhf::model::Head::scalar;
  plan.pass_tokens = pass.tokens;
  plan.pass_outputs = std::min(pass.tokens, longest_together(rankings.group_sizes, pass.sequences));
  plan.passes = pass.passes;
  plan.remembered_tokens = rankings.completions.token_count();
  const auto model = rlhf::model::estimate_memory(config, plan);
  MemoryTable table;
  table.add("reward model", model);
  if (o.loop.keep_best) table.add("reward model: best weights so far", model.moments / 2);
  return table;
}

void learn_reward(const Program& program, const Options& o) {
  o.run.prepare();
  const ModelFolder folder(o.model);
  const rlhf::TransformerConfig config = rlhf::model::load_hugging_face_config(o.model);
  folder.require_fits(config.vocab_size);
  o.tuning.require_fits(config, o.model.string());
  const DataOptions options = o.data.within(config.context_length, "the model's context");
  const auto data = read_dataset<rlhf::data::Ranking>(folder, options, o.run.seed);
  std::optional<rlhf::Completions> centre;
  if (!o.centre.empty()) {
    centre = read_rows<rlhf::data::Demonstration>(o.centre, "centre", folder, options);
  }
  memory_of(config, data.training, o).require_fits(o.run.memory);
  rlhf::RewardModel model = new_reward_model(folder, o.tuning, o.run.seed);
  model.compute_in(o.run.precision);

  rlhf::Loader loader{data.training, {.batch_size = o.loop.batch_size, .seed = o.run.seed}};
  const rlhf::TrainOptions plan = o.loop.plan(loader.batches_left(), data.held_out.has_value());
  rlhf::RewardTrainer trainer{model,
                              {.optimizer = o.optimizer.adamw,
                               .schedule = o.optimizer.schedule_over(plan.steps),
                               .micro_batch_tokens = o.loop.micro_batch_tokens}};
  Evaluate evaluate;
  if (data.held_out) {
    evaluate = [&]() -> Evaluation {
      const rlhf::RewardStats stats = trainer.evaluate(*data.held_out);
      return {.score = stats.accuracy,
              .metrics = {{"eval_loss", stats.loss},
                          {"eval_accuracy", stats.accuracy},
                          {"eval_margin", stats.margin}}};
    };
  }

  Run run(program, o.run, plan.steps, {"loss", "accuracy", "eval_accuracy"});
  rlhf::BestWeights best(model.named_parameters());
  run.train(trainer, loader, plan, evaluate, o.loop.keep_best ? &best : nullptr);
  if (centre) std::cout << fmt::format("bias moved by {:.4f}\n", model.centre_on(*centre));
  run.report({"eval_accuracy", "eval_loss", "accuracy", "loss"});
  folder.save(o.run.out, model.scalar());
}

}  // namespace
}  // namespace instructgpt

int main(int argc, char** argv) {
  instructgpt::Program program("reward_model", "InstructGPT, step 2: a reward model from rankings");
  instructgpt::Options options;
  options.add_to(program);
  return program.run(argc, argv, [&] {
    options.run.apply();
    instructgpt::learn_reward(program, options);
  });
}
