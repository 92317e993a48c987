"""Golden values for objective/ and optimizer/, and for one whole PPO update.

    python tests/golden/generate.py            rewrite tests/golden/data/*.json
    python tests/golden/generate.py --check    exit 1 if the committed files differ from a fresh run

Plain PyTorch in float64 and the published formulas, written without a look at the C++: agreement is
between two programs. Inputs are drawn by Python's own random module and rounded to 4 digits, so they
do not depend on the version of torch; outputs are written so that every double reads back exactly.

Every file but ppo_update.json is {"<function>": [case, ...]}, a case being
    name        what is special about it
    inputs      the arguments by name; null in a masked slot stands for NaN: it must not matter
    outputs     what the function returns, by name
    gradients   of the loss where there is one, else of sum(output * inputs.cotangent)

ppo_update.json is one update of a policy small enough to rebuild anywhere (golden/tiny_policy.hpp):
    options     temperature, kl_coefficient, gamma, lambda, clip, value_clip, value_coefficient, and
                learning_rate, beta1, beta2, epsilon, weight_decay (matrices only), max_gradient_norm of
                the two AdamW, one for the policy and one for the critic
    policy      embedding E [V, D], position P [L, D], output W [V, D]
                logits after token x at position i of its row (prompt included, from 0):
                W (E[x] + P[i]) / temperature
    reference   the same with other numbers
    critic      embedding, position, head u [D], bias b []: value after x at i = u . (E[x] + P[i]) + b
    prompts, responses, counted, scores    8 rows; counted holds one list of booleans a response
    mask, log_probs, ref_log_probs, values, entropy    [B, T], before the first step; 0 in the padding
    kl          [B, T], estimator k1
    rewards     [B, T], -kl_coefficient * kl, plus the score at the last counted token
    raw_advantages, returns, advantages     [B, T]; advantages are the raw ones whitened over the batch
    generator_seed, minibatches    rows of each minibatch, minibatches[epoch][k]: the order in which
                rlhf::Generator{generator_seed}.permutation(8), once an epoch, cut in halves, gives them
    steps       one a minibatch, in order: policy_loss, clip_fraction, approx_kl, ratio_mean,
                value_loss, value_clip_fraction (before value_coefficient), policy_gradient_norm,
                critic_gradient_norm (before clipping). Losses are means over the minibatch's tokens
    final       policy and critic after the last step
"""

import json
import math
import pathlib
import sys

import torch

from cases import Draw, case, leaf, plain
from formulas import (ESTIMATORS, adamw, clip_and_step, entropy, full_kl, gae, kl_shaped_rewards,
                      policy_loss, ranking_loss, token_log_probs, value_loss, whiten)
from ppo_update import ppo_update

DATA = pathlib.Path(__file__).resolve().parent / "data"
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def log_probs_file():
    draw = Draw(1)
    shapes = [("one distribution", [7], 1.0, 1.0), ("temperature 0.7", [3, 4, 5], 0.7, 2.0),
              ("temperature 2", [6, 9], 2.0, 3.0), ("large logits", [4, 6], 1.0, 300.0),
              ("a vocabulary of one", [3, 1], 1.0, 1.0)]
    log_probs, entropies = [], []
    for name, shape, temperature, std in shapes:
        logits, targets = leaf(draw.normal(*shape, std=std)), draw.integers(shape[-1], *shape[:-1])
        inputs = {"logits": logits, "temperature": temperature,
                  "cotangent": draw.normal(*shape[:-1])}
        log_probs.append(case(name, inputs | {"targets": targets},
                              {"log_probs": token_log_probs(logits, targets, temperature)}, ["logits"]))
        entropies.append(case(name, inputs, {"entropy": entropy(logits, temperature)}, ["logits"]))
    return {"token_log_probs": log_probs, "entropy": entropies}


def kl_file():
    draw = Draw(2)
    estimates, exact = [], []
    for name, estimator in ESTIMATORS.items():
        inputs = {"estimator": name, "log_probs": leaf(draw.normal(3, 5)),
                  "ref_log_probs": leaf(draw.normal(3, 5)), "cotangent": draw.normal(3, 5)}
        estimates.append(case(name, inputs, {"kl": estimator(inputs["log_probs"] - inputs["ref_log_probs"])},
                              ["log_probs", "ref_log_probs"]))
    for name, temperature in [("temperature 1", 1.0), ("temperature 0.7", 0.7)]:
        inputs = {"logits": leaf(draw.normal(2, 3, 6)), "ref_logits": leaf(draw.normal(2, 3, 6)),
                  "temperature": temperature, "cotangent": draw.normal(2, 3)}
        exact.append(case(name, inputs,
                          {"kl": full_kl(inputs["logits"], inputs["ref_logits"], temperature)},
                          ["logits", "ref_logits"]))
    # Ziegler et al. 2019, section 2.2.
    beta, target, horizon, updates = 0.15, 6.0, 10000.0, []
    for measured, episodes in [(6.0, 512), (30.0, 512), (0.5, 512), (6.6, 256), (5.7, 512), (-1.0, 64)]:
        error = max(-0.2, min(0.2, measured / target - 1))
        beta *= 1 + error * episodes / horizon
        updates.append({"kl": measured, "episodes": episodes, "coefficient": beta})
    adaptive = {"name": "Ziegler's setting", "outputs": {"updates": updates}, "gradients": {},
                "inputs": {"initial": 0.15, "target": target, "horizon": horizon}}
    return {"kl": estimates, "full_kl": exact, "adaptive_kl": [adaptive]}


def advantages_file():
    draw = Draw(3)
    estimates, shaped, whitened = [], [], []
    for name, gamma, lam, holes in [("ragged", 1.0, 0.95, False), ("discounted", 0.99, 0.95, False),
                                    ("holes in the mask", 0.97, 0.9, True), ("one step", 0.9, 0.0, True),
                                    ("Monte Carlo", 1.0, 1.0, True)]:
        mask = draw.mask(5, 7, holes)
        rewards, values = draw.normal(5, 7), draw.normal(5, 7)
        advantages, returns = gae(rewards, values, mask, gamma, lam)
        estimates.append(case(name, {"rewards": rewards, "values": values, "mask": mask, "gamma": gamma,
                                     "lambda": lam}, {"advantages": advantages, "returns": returns}, mask=mask))
    for name, holes in [("ragged", False), ("holes in the mask", True)]:
        mask = draw.mask(4, 6, holes)
        inputs = {"scores": leaf(draw.normal(4)), "kl": leaf(draw.normal(4, 6)), "mask": mask,
                  "coefficient": 0.05, "cotangent": draw.normal(4, 6)}
        shaped.append(case(name, inputs,
                           {"rewards": kl_shaped_rewards(inputs["scores"], inputs["kl"], mask, 0.05)},
                           ["scores", "kl"], mask=mask))
    for name, keep, holes in [("remove the mean", False, False), ("keep the mean", True, False),
                              ("holes in the mask", False, True)]:
        mask = draw.mask(4, 6, holes)
        inputs = {"x": leaf(draw.normal(4, 6) + 2.0), "mask": mask, "mean": "keep" if keep else "remove",
                  "cotangent": draw.normal(4, 6)}
        whitened.append(case(name, inputs, {"whitened": whiten(inputs["x"], mask, keep)}, ["x"], mask=mask))
    return {"gae": estimates, "kl_shaped_rewards": shaped, "whiten": whitened,
            "grpo_advantages": [grouped(draw, "grpo")], "rloo_advantages": [grouped(draw, "rloo")]}


def grouped(draw, kind):
    groups = torch.tensor([4, 9, 4, 9, 4, 7, 9, 7])
    scores = draw.normal(8)
    advantages = torch.zeros(8)
    for i in range(8):
        same = scores[groups == groups[i]]
        if kind == "grpo":  # Shao et al. 2024, section 4.1.2
            advantages[i] = (scores[i] - same.mean()) / (same.std() + 1e-4)
        else:  # Ahmadian et al. 2024, section 3.2
            advantages[i] = scores[i] - (same.sum() - scores[i]) / (len(same) - 1)
    inputs = {"scores": scores, "groups": groups} | ({"epsilon": 1e-4} if kind == "grpo" else {})
    return case("interleaved groups", inputs, {"advantages": advantages})


def ppo_file():
    draw = Draw(4)
    policy, value = [], []
    for name, low, high, dual, denominator, holes in [
            ("defaults", 0.2, 0.2, 0.0, None, False), ("asymmetric clip", 0.2, 0.28, 0.0, None, False),
            ("dual clip", 0.2, 0.2, 1.5, None, True), ("holes in the mask", 0.1, 0.3, 0.0, None, True),
            ("denominator", 0.2, 0.2, 3.0, 40.0, True)]:
        mask = draw.mask(6, 8, holes)
        old = -draw.normal(6, 8).abs()
        inputs = {"log_probs": leaf(old + draw.normal(6, 8, std=0.4)), "old_log_probs": old,
                  "advantages": draw.normal(6, 8), "mask": mask, "low": low, "high": high, "dual": dual,
                  "denominator": denominator}
        outputs = policy_loss(inputs["log_probs"], old, inputs["advantages"], mask, low, high, dual, denominator)
        policy.append(case(name, inputs, outputs, ["log_probs"], mask, "loss"))
    for name, clip, denominator, holes in [("defaults", 0.2, None, False), ("narrow clip", 0.05, None, True),
                                           ("denominator", 0.2, 40.0, True)]:
        mask = draw.mask(6, 8, holes)
        old = draw.normal(6, 8)
        inputs = {"values": leaf(old + draw.normal(6, 8, std=0.4)), "old_values": old,
                  "returns": draw.normal(6, 8), "mask": mask, "clip": clip, "denominator": denominator}
        value.append(case(name, inputs, value_loss(inputs["values"], old, inputs["returns"], mask, clip,
                                                   denominator), ["values"], mask, "loss"))
    return {"ppo_policy_loss": policy, "ppo_value_loss": value}


def ranking_file():
    draw = Draw(5)
    cases = []
    for name, sizes, ranks, margin, denominator in [
            ("pairs", [2, 2, 2], None, 0.0, None),
            ("groups of unequal size", [4, 2, 9, 3], None, 0.0, None),
            ("margin", [3, 4], None, 0.5, None),
            ("ties", [4, 3, 2, 3], [0, 1, 1, 2, 5, 5, 7, 3, 3, 0, 0, 1], 0.0, None),
            ("ranks in any order", [3, 3], [2, 0, 1, 9, 9, 4], 0.1, None),
            ("denominator", [4, 3, 2], [0, 1, 1, 2, 0, 0, 1, 8, 8], 0.0, 5.0)]:
        scores = leaf(draw.normal(sum(sizes)).round(decimals=1))  # one digit: some scores are equal
        outputs = ranking_loss(scores, sizes, ranks, margin, denominator)
        cases.append(case(name, {"scores": scores, "group_sizes": sizes, "ranks": ranks, "margin": margin,
                                 "denominator": denominator}, outputs, ["scores"], loss="loss"))
    return {"ranking_loss": cases}


def dpo_file():
    draw = Draw(6)
    cases = []
    for beta in (0.1, 0.5):
        names = ["chosen", "rejected", "ref_chosen", "ref_rejected"]
        inputs = {name: leaf(draw.normal(5, std=8.0)) for name in names}
        c, r, ref_c, ref_r = inputs.values()
        loss = -torch.log(torch.sigmoid(beta * (c - ref_c) - beta * (r - ref_r)))
        inputs |= {"beta": beta, "cotangent": draw.normal(5)}
        cases.append(case(f"beta {beta}", inputs, {"loss": loss}, names))
    return {"dpo_loss": cases}


def optimizer_file():
    draw = Draw(7)
    cases = []
    for name, decay, largest in [("clipping", 0.0, 1.0), ("weight decay", 0.1, 1.0), ("no clipping", 0.1, 0.0)]:
        options = {"learning_rate": 1e-2, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-5,
                   "weight_decay": decay, "max_gradient_norm": largest}
        parameters = {"matrix": leaf(draw.normal(3, 4)), "vector": leaf(draw.normal(5)),
                      "scalar": leaf(draw.normal()), "cube": leaf(draw.normal(2, 2, 3))}
        first = {key: item.detach().clone() for key, item in parameters.items()}
        optimizer, steps = adamw(list(parameters.values()), options), []
        for k in range(6):
            factor = 1.0 if k < 3 else 0.25
            gradients = {key: draw.normal(*item.shape, std=0.05 if k == 4 else 1.0)
                         for key, item in parameters.items()}
            if k in (1, 4):  # unused in this step: neither moved nor decayed
                gradients["cube"] = None
            for key, item in parameters.items():
                item.grad = None if gradients[key] is None else gradients[key].clone()
            norm = clip_and_step(optimizer, list(parameters.values()), options, factor)
            steps.append({"factor": factor, "gradients": gradients, "norm": norm,
                          "parameters": {key: item.detach().clone() for key, item in parameters.items()}})
        cases.append(plain({"name": name, "inputs": {"options": options, "parameters": first},
                            "outputs": {"steps": steps}, "gradients": {}}))
    return {"adamw": cases, "schedule": [schedule(*row) for row in [
        ("constant", 0, 0, 0.0), ("constant", 4, 0, 0.0), ("linear", 0, 10, 0.0),
        ("linear", 3, 10, 0.1), ("cosine", 0, 10, 0.1), ("cosine", 3, 12, 0.0)]]}


def schedule(shape, warmup, total, final):
    """Warm-up by equal rises that reach 1 at step `warmup`; then down to `final` at step `total`."""
    factors = []
    for step in range(15):
        if step < warmup:
            factors.append((step + 1) / (warmup + 1))
        elif shape == "constant":
            factors.append(1.0)
        else:
            progress = min(1.0, (step - warmup) / (total - warmup))
            left = 1 - progress if shape == "linear" else (1 + math.cos(math.pi * progress)) / 2
            factors.append(final + (1 - final) * left)
    return {"name": f"{shape}, warm-up {warmup}", "gradients": {}, "outputs": {"factors": factors},
            "inputs": {"shape": shape, "warmup_steps": warmup, "total_steps": total, "final_fraction": final}}


FILES = {"log_probs": log_probs_file, "kl": kl_file, "advantages": advantages_file, "ppo": ppo_file,
         "ranking": ranking_file, "dpo": dpo_file, "optimizer": optimizer_file, "ppo_update": ppo_update}


def same(a, b):
    """Equal to rounding: libm and the order of sums may differ between machines."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-11, abs_tol=1e-13)
    return a == b


def text_of(record):
    """A line a case, so that a change shows as one."""
    lines = []
    for key, item in record.items():
        if isinstance(item, list) and item and isinstance(item[0], dict):
            rows = ",\n  ".join(json.dumps(row) for row in item)
            lines.append(f'"{key}": [\n  {rows}\n]')
        else:
            lines.append(f'"{key}": {json.dumps(item)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    stale = []
    for name, make in FILES.items():
        path, record = DATA / f"{name}.json", make()
        if not check:
            path.write_text(text_of(record))
        elif not path.exists() or not same(json.loads(text_of(record)), json.loads(path.read_text())):
            stale.append(path.name)
    if stale:
        sys.exit("differ from a fresh run: " + ", ".join(stale))


if __name__ == "__main__":
    main()
