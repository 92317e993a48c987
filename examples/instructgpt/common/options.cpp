#include "common/options.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <iostream>

#include "rlhf/core/error.hpp"

namespace instructgpt {

namespace fs = std::filesystem;
using rlhf::require;

void RunOptions::add_to(Program& program) {
  Group group = program.group("Run");
  group
      .add("--out", out, "folder to make: the model as transformers reads it, and training/ in it",
           "no default")
      ->required();
  group.add("--seed", seed, "of new weights, order of rows and samples", "rlhf");
  group.add("--threads", threads, "of tensor operations; 0: all cores", "rlhf")
      ->check(CLI::NonNegativeNumber);
  group
      .add("--memory", memory,
           "GiB: a run that needs more is refused before it begins; 0: what the machine has",
           "rlhf")
      ->check(CLI::NonNegativeNumber);
  group.choice("--precision", precision,
               {{"float32", rlhf::Precision::float32}, {"bfloat16", rlhf::Precision::bfloat16}},
               "of matrix products; weights, gradients and moments stay float32",
               "rlhf; TRL: bfloat16");
}

void RunOptions::prepare() const {
  std::error_code ignored;
  require(
      !fs::exists(out, ignored) || (fs::is_directory(out, ignored) && fs::is_empty(out, ignored)),
      "--out", "a folder that is not there, or is empty", out.string());
}

void RunOptions::apply() const {
  if (threads > 0) at::set_num_threads(threads);
  if (!rlhf::is_fast(precision)) {
    std::cout << "note: this processor multiplies in bfloat16 no faster than in float32\n";
  }
}

void DataOptions::add_to(Program& program, const std::string& rows,
                         const std::string& tokens_help) {
  Group group = program.group("Data");
  group.add("--train", train, "JSONL to learn from: " + rows, "no default")
      ->required()
      ->check(CLI::ExistingFile);
  group
      .add("--eval", eval, "JSONL to evaluate on; none: no evaluation, but for --eval-fraction",
           "none, as TRL")
      ->check(CLI::ExistingFile);
  group
      .add("--eval-fraction", eval_fraction,
           "share of --train's rows to hold out and evaluate on, chosen by --seed", "rlhf")
      ->check(CLI::Range(0.0, 1.0));
  group
      .add("--field", fields,
           "FORMAT=FILE, another name of a field in the files, as prompt=question; FORMAT= reads "
           "none of this name. Repeat it for more",
           "TRL's names")
      ->type_name("NAME=NAME")
      ->take_all();
  group.flag("--text-as-chat", text_as_chat,
             "write prompts and responses that are text down by the chat template, as one "
             "message of the user and one of the assistant",
             "off, as TRL");
  group.add("--max-tokens", max_tokens, tokens_help, "rlhf; TRL: max_length 1024")
      ->check(CLI::NonNegativeNumber);
  using rlhf::data::TooLong;
  group.choice("--too-long", too_long,
               {{"error", TooLong::error},
                {"drop", TooLong::drop},
                {"truncate", TooLong::truncate_response}},
               "what becomes of a row of more tokens; truncate cuts its response",
               too_long == TooLong::drop ? "drop, as TRL for preferences" : "truncate, as TRL");
}

rlhf::data::ReadOptions DataOptions::read_options() const {
  rlhf::data::ReadOptions options;
  auto& names = options.fields;
  const std::map<std::string, std::string*> known{
      {"text", &names.text},           {"messages", &names.messages},
      {"prompt", &names.prompt},       {"completion", &names.completion},
      {"chosen", &names.chosen},       {"rejected", &names.rejected},
      {"responses", &names.responses}, {"ranks", &names.ranks},
      {"label", &names.label}};
  for (const std::string& pair : fields) {
    const size_t equals = pair.find('=');
    const auto name = known.find(pair.substr(0, equals));
    require(equals != pair.npos && name != known.end(), "--field",
            "NAME=NAME, the first being text, messages, prompt, completion, chosen, rejected, "
            "responses, ranks or label",
            pair);
    *name->second = pair.substr(equals + 1);
  }
  return options;
}

DataOptions DataOptions::within(int64_t room, const std::string& what) const {
  require(max_tokens <= room, "--max-tokens", fmt::format("<= {}, {}", room, what), max_tokens);
  DataOptions options = *this;
  if (options.max_tokens == 0) options.max_tokens = room;
  return options;
}

void LoopOptions::add_to(Program& program, const Sources& sources) {
  Group group = program.group("Training");
  group.add("--epochs", epochs, "passes over the rows", sources.epochs)->check(CLI::PositiveNumber);
  group.add("--steps", steps, "steps in place of epochs; 0: as many as --epochs make", "rlhf")
      ->check(CLI::NonNegativeNumber);
  group.add("--batch-size", batch_size, sources.batch_help, sources.batch_size)
      ->check(CLI::PositiveNumber);
  group
      .add("--micro-batch-tokens", micro_batch_tokens,
           "tokens in one pass of a model: bounds the memory, changes no result; 0: a whole batch",
           "rlhf")
      ->check(CLI::NonNegativeNumber);
  group
      .add("--eval-every", eval_every,
           "steps between evaluations; 0: only before the first and after the last", "rlhf")
      ->check(CLI::NonNegativeNumber);
  group.flag("--keep-best", keep_best,
             "write the weights of the best evaluation, not the last ones", "off, as TRL");
}

rlhf::TrainOptions LoopOptions::plan(int64_t steps_an_epoch, bool has_eval) const {
  require(has_eval || (eval_every == 0 && !keep_best), keep_best ? "--keep-best" : "--eval-every",
          "rows to evaluate on, by --eval or --eval-fraction", "none");
  require(!keep_best || eval_every > 0, "--keep-best", "--eval-every above 0", eval_every);
  return {.steps = steps > 0 ? steps : epochs * steps_an_epoch, .evaluate_every = eval_every};
}

void OptimizerOptions::add_to(Program& program, const Sources& sources) {
  Group group = program.group("Optimizer");
  group.add("--learning-rate", adamw.learning_rate, "of AdamW", sources.learning_rate);
  group.add("--beta1", adamw.beta1, "decay of the first moment", "Ouyang 2022, appendix C");
  group.add("--beta2", adamw.beta2, "decay of the second moment",
            "Ouyang 2022, appendix C; TRL: 0.999");
  group.add("--epsilon", adamw.epsilon, "added to the root of the second moment",
            "Huang 2024; TRL: 1e-8");
  group.add("--weight-decay", adamw.weight_decay, "of matrices", "TRL");
  group.add("--max-gradient-norm", adamw.max_gradient_norm, "clip above it; 0: no clipping", "TRL");
  using Shape = rlhf::Schedule::Shape;
  group.choice(
      "--schedule", schedule.shape,
      {{"constant", Shape::constant}, {"linear", Shape::linear}, {"cosine", Shape::cosine}},
      "of the learning rate, over all steps", sources.schedule);
  group
      .add("--warmup-steps", schedule.warmup_steps, "steps of rising learning rate at the start",
           sources.schedule)
      ->check(CLI::NonNegativeNumber);
  group
      .add("--final-fraction", schedule.final_fraction,
           "of the learning rate at the last step, unless constant", "Ouyang 2022, appendix C")
      ->check(CLI::Range(0.0, 1.0));
}

rlhf::Schedule OptimizerOptions::schedule_over(int64_t steps) const {
  rlhf::Schedule all = schedule;
  all.total_steps = steps;
  return all;
}

}  // namespace instructgpt
