"""Transformers' generate(): sampling at temperature 1 with no early stop."""

import itertools

import torch
import transformers
from transformers import CompileConfig, GenerationConfig

import common


def main():
    parser = common.options(__doc__, prompt=16, response=48)
    parser.add_argument("--cache", choices=["dynamic", "static"], default="dynamic")
    parser.add_argument("--compile", action="store_true",
                        help="torch.compile the decoding step (static cache; needs a C++ compiler)")
    args = parser.parse_args()
    if args.compile:
        args.cache = "static"
    common.start(args)
    rows = common.prompt_rows(args)
    common.dump(args.dump, rows)
    held = common.before_models()

    model = common.policy_model(args.size, args.seed, args.prompt + args.response).eval()
    model.to(getattr(torch, args.dtype))
    config = GenerationConfig(
        do_sample=True, temperature=1.0, top_k=0, top_p=1.0, max_new_tokens=args.response,
        eos_token_id=None, pad_token_id=None,
        cache_implementation="static" if args.cache == "static" else None)
    if args.compile:
        config.compile_config = CompileConfig(mode="default", fullgraph=False)
        config.compile_config._compile_all_devices = True  # generate() compiles on GPUs only
    batches = itertools.count()

    def step():
        first = next(batches) % args.steps * args.batch
        prompts = torch.tensor([row["prompt"] for row in rows[first:first + args.batch]])
        with torch.inference_mode():
            out = model.generate(prompts, attention_mask=torch.ones_like(prompts),
                                 generation_config=config)
        assert out.shape == (args.batch, args.prompt + args.response)

    common.Turns(f"transformers {transformers.__version__} with torch {torch.__version__}", "tokens",
                 lambda _: args.batch * args.response, held).repeat(step)


if __name__ == "__main__":
    main()
