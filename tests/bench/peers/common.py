"""Parts shared by the peers' measurements: model shapes, tokens, options, and taking turns."""

import argparse
import contextlib
import json
import os
import random
import re
import sys
import tempfile
import time
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing here is downloaded
warnings.filterwarnings("ignore", category=FutureWarning)

import torch
import transformers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PreTrainedTokenizerFast,
    TrainerCallback,
)

# Every embedding is tied to the output layer. The same shapes stand in ../shapes.cpp.
SIZES = {
    "tiny": dict(hidden_size=64, intermediate_size=172, num_hidden_layers=5,
                 num_attention_heads=8, num_key_value_heads=4, vocab_size=512),
    "small": dict(hidden_size=288, intermediate_size=768, num_hidden_layers=6,
                  num_attention_heads=6, num_key_value_heads=6, vocab_size=4096),
    "medium": dict(hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
                   num_attention_heads=9, num_key_value_heads=3, vocab_size=49152),
}

PAD, BOS, EOS = 0, 1, 2
FIRST_WORD = 3  # ids below are special; random tokens are FIRST_WORD .. vocab - 1


def options(doc, prompt, response, dtypes=("float32", "bfloat16")):
    """The options that every script takes; a script adds its own."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="threads for tensor operations")
    parser.add_argument("--size", choices=SIZES, default="small", help="model shape")
    parser.add_argument("--dtype", choices=dtypes, default="float32", help="what is computed in")
    parser.add_argument("--batch", type=int, default=32, help="sequences, rankings or episodes a step")
    parser.add_argument("--prompt", type=int, default=prompt, help="prompt tokens")
    parser.add_argument("--response", type=int, default=response, help="response tokens")
    parser.add_argument("--steps", type=int, default=20, help="steps that tokens are made for")
    parser.add_argument("--seed", type=int, default=1, help="seed of weights and tokens")
    parser.add_argument("--dump", help="write the tokens to this file, as JSON lines")
    return parser


def trl_version():
    import trl
    return f"trl {trl.__version__} with torch {torch.__version__}"


def start(args):
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    transformers.logging.set_verbosity_error()


def llama_config(size, max_length, **extra):
    return LlamaConfig(**SIZES[size], max_position_embeddings=max(2048, max_length),
                       rope_theta=10000.0, rms_norm_eps=1e-5, tie_word_embeddings=True,
                       attn_implementation="sdpa", **extra)


def policy_model(size, seed, max_length=2048):
    """A causal model that never stops by itself, so that the work is fixed."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM(llama_config(
        size, max_length, pad_token_id=None, bos_token_id=None, eos_token_id=None))
    model.generation_config.eos_token_id = None
    return model


def scalar_model(size, seed, max_length=2048):
    """A model with one output for a sequence: reward model or value model."""
    torch.manual_seed(seed)
    return LlamaForSequenceClassification(llama_config(
        size, max_length, num_labels=1, pad_token_id=PAD, bos_token_id=BOS, eos_token_id=EOS))


def tokenizer(vocab_size):
    """One word for each id. The trainers want a tokenizer though the data are ids."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    names = {PAD: "<pad>", BOS: "<bos>", EOS: "<eos>"}
    vocab = {names.get(i, f"w{i}"): i for i in range(vocab_size)}
    raw = Tokenizer(models.WordLevel(vocab, unk_token="<pad>"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", bos_token="<bos>",
                                   eos_token="<eos>", padding_side="left")


# --- tokens -------------------------------------------------------------------------------------


def words(rng, count, vocab_size):
    return [rng.randrange(FIRST_WORD, vocab_size) for _ in range(count)]


def split_length(rng, args):
    """A total drawn evenly from 16 .. prompt+response, cut in the ratio prompt:response."""
    longest = args.prompt + args.response
    total = rng.randint(min(16, longest), longest)
    prompt = min(max(1, round(total * args.prompt / longest)), total - 1)
    return prompt, total - prompt


def prompt_rows(args, ends=None):
    """Prompts of equal length; with `ends`, how long each row of a batch answers."""
    rng, vocab = random.Random(args.seed), SIZES[args.size]["vocab_size"]
    rows = [{"prompt": words(rng, args.prompt, vocab), "responses": []}
            for _ in range(args.batch * args.steps)]
    if ends:
        for index, row in enumerate(rows):
            row["ends_after"] = ends[index % args.batch]
    return rows


def ragged_rows(args, group=1):
    """Prompts with `group` responses each, of random lengths: the first response is the best."""
    rng, vocab = random.Random(args.seed), SIZES[args.size]["vocab_size"]
    rows = []
    for _ in range(args.batch * args.steps):
        prompt, first = split_length(rng, args)
        lengths = [first] + [split_length(rng, args)[1] for _ in range(group - 1)]
        rows.append({"prompt": words(rng, prompt, vocab),
                     "responses": [words(rng, length, vocab) for length in lengths]})
    return rows


def dump(path, rows):
    """Writes the tokens as JSON lines, so that another library can work on the same."""
    if path:
        with open(path, "w") as out:
            for row in rows:
                out.write(json.dumps(row) + "\n")


def count_tokens(trainer):
    """Makes a trainer note the (real, computed) tokens of each batch that it collates."""
    counts = []
    collate = trainer.data_collator

    def counting(examples):
        batch = collate(examples)
        mask = batch["attention_mask"]
        counts.append((int(mask.sum()), mask.numel()))
        return batch

    trainer.data_collator = counting
    return counts


# --- memory and time ----------------------------------------------------------------------------


def status_mb(field):
    with open("/proc/self/status") as status:
        return int(re.search(rf"{field}:\s+(\d+) kB", status.read())[1]) * 1024 / 1e6


def before_models():
    """MB that the process holds now, from where its highest memory counts anew."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")
    return status_mb("VmRSS")


def now():
    """(wall seconds, processor seconds of all threads)."""
    return time.perf_counter(), time.process_time()


# --- taking turns -------------------------------------------------------------------------------


class Finished(Exception):
    """Leaves a trainer's loop once nobody asks for another step."""


class Turns(TrainerCallback):
    """Works only when asked: a line `step N` on the standard input runs N steps, `end` ends.

    Answers with JSON lines: one when everything is ready, one after each turn, one at the end. A
    step lasts from the request to the end of a trainer's step, so what the trainer does between
    two steps (collecting garbage, collating the next batch) counts towards the second.
    """

    def __init__(self, engine, unit, units, held_mb):
        """`units(step)` says how many units of work step number `step` was."""
        self.engine, self.unit, self.units, self.held_mb = engine, unit, units, held_mb
        self.output = sys.stdout  # a trainer's own is muted
        self.steps, self.left, self.asked, self.begin = 0, 0, 0, None
        self.phases = None  # a function that gives seconds by phase since its last call

    def say(self, **line):
        line = {k: round(v, 6) if isinstance(v, float) else v for k, v in line.items()}
        print(json.dumps(line), file=self.output, flush=True)

    def wait(self):
        request = sys.stdin.readline().split()
        if request[:1] != ["step"]:
            raise Finished
        self.left = self.asked = int(request[1])
        self.begin = now()

    def on_train_begin(self, args, state, control, **kwargs):
        self.say(ready=True, engine=self.engine, unit=self.unit, held_mb=self.held_mb)
        self.wait()

    def on_step_end(self, args, state, control, **kwargs):
        self.steps += 1
        self.left -= 1
        if self.left:
            return
        end = now()
        extra = {"phases": self.phases()} if self.phases else {}
        self.say(seconds=end[0] - self.begin[0], cpu_seconds=end[1] - self.begin[1],
                 units=sum(self.units(step) for step in range(self.steps - self.asked, self.steps)),
                 **extra)
        self.wait()

    def train(self, trainer):
        """Lets a trainer run while steps are asked for, then says what there is to say of it."""
        with contextlib.suppress(Finished), contextlib.redirect_stdout(None):
            trainer.train()
            raise RuntimeError("the trainer ran out of steps: give a larger --steps")
        self.finish()

    def repeat(self, step):
        """The same for a plain function."""
        with contextlib.suppress(Finished):
            self.on_train_begin(None, None, None)
            while True:
                step()
                self.on_step_end(None, None, None)
        self.finish()

    def finish(self):
        peak = status_mb("VmHWM")
        self.say(end=True, steps=self.steps, peak_mb=peak, memory_mb=peak - self.held_mb)


@contextlib.contextmanager
def output_folder():
    """Where a trainer writes what nobody reads."""
    with tempfile.TemporaryDirectory() as folder:
        yield folder
