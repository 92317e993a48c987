"""Sampling with CTranslate2, the fastest packaged C++ engine for processors: the shapes of generate.py.

The random model is saved as a Hugging Face folder and converted once into --work.
"""

import itertools
import os

import ctranslate2

import common


def converted(size, seed, work):
    """The CTranslate2 folder of the random model, made if it is not there."""
    target = os.path.join(work, f"ct2-{size}-{seed}")
    if not os.path.exists(target):
        source = target + "-hf"
        common.policy_model(size, seed).save_pretrained(source)
        common.tokenizer(common.SIZES[size]["vocab_size"]).save_pretrained(source)
        ctranslate2.converters.TransformersConverter(source).convert(target)
    return target


def main():
    parser = common.options(__doc__, prompt=16, response=48, dtypes=("float32", "int8"))
    parser.add_argument("--work", default="ct2-models", help="folder for the converted model")
    args = parser.parse_args()
    common.start(args)
    model = converted(args.size, args.seed, args.work)
    rows = common.prompt_rows(args)
    common.dump(args.dump, rows)
    prompts = [[f"w{token}" for token in row["prompt"]] for row in rows]
    held = common.before_models()

    engine = ctranslate2.Generator(model, device="cpu", compute_type=args.dtype, intra_threads=args.threads)
    batches = itertools.count()

    def step():
        first = next(batches) % args.steps * args.batch
        # Equal lengths for all: the end token is suppressed by min_length.
        results = engine.generate_batch(prompts[first:first + args.batch],
                                        min_length=args.response, max_length=args.response,
                                        sampling_topk=0, sampling_temperature=1.0,
                                        include_prompt_in_result=False)
        assert all(len(result.sequences_ids[0]) == args.response for result in results)

    common.Turns(f"ctranslate2 {ctranslate2.__version__}", "tokens",
                 lambda _: args.batch * args.response, held).repeat(step)


if __name__ == "__main__":
    main()
