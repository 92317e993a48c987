"""TRL's PPOTrainer: policy, separate value model, reward model and reference."""

import random

import datasets
import torch
from datasets import Dataset
from transformers import LogitsProcessor, LogitsProcessorList
from trl.experimental.ppo import PPOConfig, PPOTrainer, ppo_trainer

import common


class Phases:
    """Seconds in generate, score and train. A score lasts to the first training pass, and an update's
    collection of garbage is the next one's generate."""

    def __init__(self, trainer, turns):
        self.turns = turns
        self.marks = []  # (wall seconds, phase that ended)
        self.training = False
        batch_generation = ppo_trainer.batch_generation

        def timed_generation(*args):
            if self.training:
                self.mark("train")
            self.training = False
            result = batch_generation(*args)
            self.mark("generate")
            return result

        def before_forward(*_):  # the wrapper of policy and value model runs in training only
            if not self.training:
                self.training = True
                self.mark("score")

        ppo_trainer.batch_generation = timed_generation
        trainer.model.register_forward_pre_hook(before_forward)

    def mark(self, phase):
        self.marks.append((common.now()[0], phase))

    def take(self):
        """The phases of the turn that ends now. @return seconds by phase"""
        self.mark("train")
        self.training = False
        begin, seconds = self.turns.begin[0], {}
        for end, phase in self.marks:
            seconds[phase] = seconds.get(phase, 0) + end - begin
            begin = end
        self.marks = []
        return {phase: round(value, 6) for phase, value in seconds.items()}


class EndAfter(LogitsProcessor):
    """Makes the end token certain as token number `lengths[row]` of a response, impossible before."""

    def __init__(self, prompt, lengths):
        self.prompt, self.lengths = prompt, torch.tensor(lengths)

    def __call__(self, input_ids, scores):
        position = input_ids.shape[1] - self.prompt + 1
        scores[position < self.lengths, common.EOS] = -1e9
        ending = position == self.lengths
        scores[ending] = -1e9
        scores[ending, common.EOS] = 0
        return scores


def end_responses(policy, prompt, lengths):
    """Responses of the policy end by themselves: by the stop token, where they are told to."""
    generate, ends = policy.generate, LogitsProcessorList([EndAfter(prompt, lengths)])

    def ending_generate(*args, **kwargs):
        output = generate(*args, logits_processor=ends, **kwargs)
        responses = output.sequences[:, prompt:]
        assert ((responses == common.EOS).int().argmax(1) + 1).tolist() == lengths
        return output

    policy.generate = ending_generate


def main():
    parser = common.options(__doc__, prompt=16, response=48, dtypes=["float32"])
    parser.add_argument("--epochs", type=int, default=4, help="PPO epochs an update")
    parser.add_argument("--minibatches", type=int, default=4)
    parser.add_argument("--kl", type=float, default=0.05)
    parser.add_argument("--ends", action="store_true",
                        help="responses end by themselves, after 8 .. --response tokens")
    args = parser.parse_args()
    common.start(args)
    datasets.disable_progress_bars()
    # The lengths of one batch, in every update: the trainer shuffles prompts, so each has the same work.
    draw = random.Random(args.seed)
    ends = [draw.randint(8, args.response) for _ in range(args.batch)] if args.ends else None
    rows = common.prompt_rows(args, ends)
    common.dump(args.dump, rows)
    table = Dataset.from_list([{"input_ids": row["prompt"]} for row in rows])
    held = common.before_models()

    longest = args.prompt + args.response
    policy = common.policy_model(args.size, args.seed, longest)
    if ends:
        end_responses(policy, args.prompt, ends)

    # The pad id lies outside of the models' vocabulary, so no response can hold it by chance and
    # every response has its full length. It never reaches a model: the trainer masks it.
    vocab = common.SIZES[args.size]["vocab_size"]
    words_and_pad = common.tokenizer(vocab)
    words_and_pad.add_special_tokens({"pad_token": "<outside>"})
    assert words_and_pad.pad_token_id == vocab

    turns = common.Turns(common.trl_version(), "episodes", lambda _: args.batch, held)
    with common.output_folder() as folder:
        trainer = PPOTrainer(
            args=PPOConfig(
                output_dir=folder, use_cpu=True, seed=args.seed,
                total_episodes=args.batch * args.steps,
                # One whole batch: with smaller ones TRL makes fewer optimizer steps, see the README.
                per_device_train_batch_size=args.batch, gradient_accumulation_steps=1,
                num_mini_batches=args.minibatches, num_ppo_epochs=args.epochs,
                local_rollout_forward_batch_size=args.batch, response_length=args.response,
                stop_token="eos" if ends else None,
                temperature=1.0, kl_coef=args.kl, learning_rate=1e-5, bf16=False,
                gradient_checkpointing=False, num_sample_generations=0,
                save_strategy="no", report_to="none", disable_tqdm=True),
            processing_class=words_and_pad, model=policy,
            ref_model=common.policy_model(args.size, args.seed, longest),
            reward_model=common.scalar_model(args.size, args.seed + 2, longest),
            value_model=common.scalar_model(args.size, args.seed + 1, longest),
            train_dataset=table, callbacks=[turns])
        turns.phases = Phases(trainer, turns).take
        turns.train(trainer)


if __name__ == "__main__":
    main()
