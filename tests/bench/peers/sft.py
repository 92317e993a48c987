"""TRL's SFTTrainer with completion-only masks, padded."""

import datasets
from datasets import Dataset
from trl import SFTConfig, SFTTrainer

import common


def main():
    parser = common.options(__doc__, prompt=32, response=96)
    parser.add_argument("--checkpointing", action="store_true",
                        help="gradient checkpointing (TRL's default)")
    args = parser.parse_args()
    common.start(args)
    datasets.disable_progress_bars()
    rows = common.ragged_rows(args)
    common.dump(args.dump, rows)
    table = Dataset.from_list([
        {"input_ids": row["prompt"] + row["responses"][0],
         "completion_mask": [0] * len(row["prompt"]) + [1] * len(row["responses"][0])}
        for row in rows])
    held = common.before_models()

    longest = args.prompt + args.response
    counts = []
    turns = common.Turns(common.trl_version(), "tokens", lambda step: counts[step][0], held)
    with common.output_folder() as folder:
        trainer = SFTTrainer(
            model=common.policy_model(args.size, args.seed, longest),
            args=SFTConfig(
                output_dir=folder, use_cpu=True, seed=args.seed, max_steps=args.steps,
                per_device_train_batch_size=args.batch, learning_rate=1e-4,
                train_sampling_strategy="sequential", max_length=longest, completion_only_loss=True,
                bf16=args.dtype == "bfloat16", gradient_checkpointing=args.checkpointing,
                save_strategy="no", report_to="none", disable_tqdm=True, logging_steps=1),
            train_dataset=table,
            processing_class=common.tokenizer(common.SIZES[args.size]["vocab_size"]),
            callbacks=[turns])
        counts = common.count_tokens(trainer)
        turns.train(trainer)


if __name__ == "__main__":
    main()
