/// InstructGPT's second step: a model learns to score responses as people rank them.
///
///   reward_model --model runs/sft --train rankings.jsonl --out runs/reward
#include "rlhf/reward/reward_model.hpp"
#include "common/dataset.hpp"
#include "common/run.hpp"
#include "rlhf/data/loader.hpp"
#include "rlhf/trainer/reward.hpp"

namespace instructgpt {
namespace {

struct Options {
  std::filesystem::path model, centre;
  RunOptions run;
  DataOptions data;
  LoopOptions loop{.epochs = 1, .batch_size = 64};
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
    optimizer.add_to(program, {.learning_rate = "Ouyang 2022, appendix C.2; TRL: 1e-4",
                               .schedule = "Ouyang 2022, appendix C.2; TRL: linear"});
  }
};

/// A new head on the trunk of the folder's language model, which is then let go.
rlhf::RewardModel new_reward_model(const ModelFolder& folder, uint64_t seed) {
  const rlhf::CausalLM language_model = rlhf::model::load_hugging_face(folder.path());
  folder.require_fits(language_model.vocab_size());
  rlhf::Generator generator(seed);
  return {language_model, generator};
}

void learn_reward(const Program& program, const Options& o) {
  o.run.prepare();
  const ModelFolder folder(o.model);
  rlhf::RewardModel model = new_reward_model(folder, o.run.seed);
  model.compute_in(o.run.precision);
  const DataOptions options =
      o.data.within(model.scalar().trunk().config().context_length, "the model's context");
  const auto data = read_dataset<rlhf::data::Ranking>(folder, options, o.run.seed);
  std::optional<rlhf::Completions> centre;
  if (!o.centre.empty()) {
    centre = read_rows<rlhf::data::Demonstration>(o.centre, "centre", folder, options);
  }

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
