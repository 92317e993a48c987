"""TRL's RewardTrainer on rankings: every pair of a ranking is a row of its own.

A step is --batch rankings of --group responses to one prompt, best first: group * (group - 1) / 2 pairs each.
"""

import itertools

import datasets
from datasets import Dataset
from trl import RewardConfig, RewardTrainer

import common


def main():
    parser = common.options(__doc__, prompt=32, response=96)
    parser.add_argument("--group", type=int, default=2, help="responses of one ranking")
    parser.add_argument("--checkpointing", action="store_true",
                        help="gradient checkpointing (TRL's default)")
    args = parser.parse_args()
    common.start(args)
    datasets.disable_progress_bars()
    rows = common.ragged_rows(args, args.group)
    common.dump(args.dump, rows)
    table = Dataset.from_list([
        {"chosen_ids": row["prompt"] + better, "rejected_ids": row["prompt"] + worse}
        for row in rows for better, worse in itertools.combinations(row["responses"], 2)])
    held = common.before_models()

    turns = common.Turns(common.trl_version(), "pairs" if args.group == 2 else "rankings",
                         lambda _: args.batch, held)
    with common.output_folder() as folder:
        trainer = RewardTrainer(
            model=common.scalar_model(args.size, args.seed, args.prompt + args.response),
            args=RewardConfig(
                output_dir=folder, use_cpu=True, seed=args.seed, max_steps=args.steps,
                per_device_train_batch_size=len(table) // args.steps, learning_rate=1e-4,
                train_sampling_strategy="sequential",
                max_length=args.prompt + args.response + max(args.prompt, args.response),
                bf16=args.dtype == "bfloat16", gradient_checkpointing=args.checkpointing,
                save_strategy="no", report_to="none", disable_tqdm=True, logging_steps=1),
            train_dataset=table,
            processing_class=common.tokenizer(common.SIZES[args.size]["vocab_size"]),
            callbacks=[turns])
        turns.train(trainer)


if __name__ == "__main__":
    main()
