/// InstructGPT's first step: a language model learns to answer as demonstrations do.
///
///   sft --model SmolLM2-135M --train demonstrations.jsonl --out runs/sft
#include "rlhf/trainer/sft.hpp"
#include "common/dataset.hpp"
#include "common/memory.hpp"
#include "common/run.hpp"
#include "common/samples.hpp"
#include "common/tuning.hpp"
#include "rlhf/data/loader.hpp"

namespace instructgpt {
namespace {

struct Options {
  std::filesystem::path model, chat_template;
  RunOptions run;
  DataOptions data{.too_long = rlhf::data::TooLong::truncate_response};
  LoopOptions loop{.epochs = 16, .batch_size = 32};
  TuningOptions tuning;
  OptimizerOptions optimizer{
      .adamw = {.learning_rate = 9.65e-6, .beta2 = 0.95},
      .schedule = {.shape = rlhf::Schedule::Shape::cosine, .final_fraction = 0.1}};

  void add_to(Program& program) {
    Group group = program.group("Model");
    group.add("--model", model, "folder of a language model to start from", "no default")
        ->required()
        ->check(CLI::ExistingDirectory);
    group
        .add("--chat-template", chat_template,
             "Jinja file in place of the folder's template; goes along to --out",
             "the folder's, as TRL")
        ->check(CLI::ExistingFile);
    run.add_to(program);
    data.add_to(program,
                "text, messages, or prompt and completion; only completions and the "
                "assistant's turns are learnt",
                "of a row; 0: the model's context");
    loop.add_to(program, {.epochs = "Ouyang 2022, appendix C.1; TRL: 3",
                          .batch_size = "Ouyang 2022, appendix C.1; TRL: 8",
                          .batch_help = "rows in a step"});
    tuning.add_to(program);
    optimizer.add_to(program, {.learning_rate = "Ouyang 2022, appendix C.1; TRL: 2e-5",
                               .schedule = "Ouyang 2022, appendix C.1; TRL: linear"});
  }
};

constexpr int64_t sample_tokens = 64;

MemoryTable memory_of(const rlhf::TransformerConfig& config, const rlhf::Completions& rows,
                      const Options& o) {
  const LargestPass pass =
      largest_pass(rows.lengths(), o.loop.batch_size, o.loop.micro_batch_tokens);
  rlhf::model::MemoryPlan plan = o.tuning.memory_plan(o.run.precision);
  plan.pass_tokens = pass.tokens;
  plan.pass_outputs =
      std::min(pass.tokens, longest_together(rows.response_lengths, pass.sequences));
  plan.passes = pass.passes;
  plan.remembered_tokens = rows.token_count();
  plan.prompt_tokens = longest_together(rows.prompt_lengths, Samples::most);
  plan.cache_rows = Samples::most;
  plan.cache_tokens = longest_together(rows.prompt_lengths, 1) + sample_tokens;
  const auto policy = rlhf::model::estimate_memory(config, plan);
  MemoryTable table;
  table.add("policy", policy);
  if (o.loop.keep_best) table.add("policy: best weights so far", policy.moments / 2);
  return table;
}

void fine_tune(const Program& program, const Options& o) {
  o.run.prepare();
  const ModelFolder folder(o.model, o.chat_template);
  const rlhf::TransformerConfig config = rlhf::model::load_hugging_face_config(o.model);
  folder.require_fits(config.vocab_size);
  o.tuning.require_fits(config, o.model.string());
  const int64_t context = config.context_length;
  const auto data = read_dataset<rlhf::data::Demonstration>(
      folder, o.data.within(context, "the model's context"), o.run.seed);
  memory_of(config, data.training, o).require_fits(o.run.memory);

  rlhf::Generator generator(o.run.seed);
  rlhf::CausalLM policy = o.tuning.policy_of(rlhf::model::load_hugging_face(o.model), generator);
  policy.compute_in(o.run.precision);

  rlhf::Loader loader{data.training, {.batch_size = o.loop.batch_size, .seed = o.run.seed}};
  const rlhf::TrainOptions plan = o.loop.plan(loader.batches_left(), data.held_out.has_value());
  rlhf::SftTrainer trainer{policy,
                           {.optimizer = o.optimizer.adamw,
                            .schedule = o.optimizer.schedule_over(plan.steps),
                            .micro_batch_tokens = o.loop.micro_batch_tokens}};
  Evaluate evaluate;
  if (data.held_out) {
    evaluate = [&]() -> Evaluation {
      const double loss = trainer.evaluate(*data.held_out);
      return {.score = -loss, .metrics = {{"eval_loss", loss}}};
    };
  }
  Samples samples(
      folder, data.held_out.value_or(data.training), context,
      {.max_response_tokens = sample_tokens, .end_tokens = folder.tokenizer().end_tokens()});
  samples.add("before", policy);

  Run run(program, o.run, plan.steps, {"loss", "eval_loss", "gradient_norm"});
  rlhf::BestWeights best(policy.named_parameters());
  run.train(trainer, loader, plan, evaluate, o.loop.keep_best ? &best : nullptr);
  samples.add("after", policy);
  run.report({"eval_loss", "loss"}, samples.exchanges());
  folder.save(o.run.out, policy);
}

}  // namespace
}  // namespace instructgpt

int main(int argc, char** argv) {
  instructgpt::Program program("sft", "InstructGPT, step 1: supervised fine-tuning");
  instructgpt::Options options;
  options.add_to(program);
  return program.run(argc, argv, [&] {
    options.run.apply();
    instructgpt::fine_tune(program, options);
  });
}
