"""One PPO update of a tiny policy and critic; generate.py says what each field is."""

import itertools

import torch

from cases import Draw, leaf, plain
from formulas import (adamw, clip_and_step, entropy, gae, kl_shaped_rewards, policy_loss,
                      token_log_probs, value_loss, whiten)


def states(model, rows, width):
    """[B, T, D]: E[x] + P[i] of the token before each response token."""
    result = []
    for prompt, response in rows:
        tokens, first = prompt + response, len(prompt) - 1
        vectors = [model["embedding"][tokens[i]] + model["position"][i]
                   for i in range(first, first + len(response))]
        vectors += [torch.zeros_like(vectors[0])] * (width - len(response))
        result.append(torch.stack(vectors))
    return torch.stack(result)


def padded_targets(rows, width):
    return torch.tensor([response + [0] * (width - len(response)) for _, response in rows])


def log_probs_of(policy, rows, width, temperature):
    logits = states(policy, rows, width) @ policy["output"].T
    return (token_log_probs(logits, padded_targets(rows, width), temperature),
            entropy(logits, temperature))


def values_of(critic, rows, width):
    return states(critic, rows, width) @ critic["head"] + critic["bias"]


def ppo_update():
    draw = Draw(8)
    vocabulary, size, longest, width = 13, 6, 12, 6
    options = {"temperature": 0.7, "kl_coefficient": 0.1, "gamma": 0.99, "lambda": 0.95, "clip": 0.2,
               "value_clip": 0.2, "value_coefficient": 0.5, "learning_rate": 1e-2, "beta1": 0.9,
               "beta2": 0.999, "epsilon": 1e-5, "weight_decay": 0.1, "max_gradient_norm": 1.0}

    def decoder():
        return {"embedding": draw.normal(vocabulary, size), "position": draw.normal(longest, size),
                "output": draw.normal(vocabulary, size, std=0.5)}

    policy, reference = decoder(), decoder()
    critic = {"embedding": draw.normal(vocabulary, size, std=0.5),
              "position": draw.normal(longest, size, std=0.5), "head": draw.normal(size, std=0.5),
              "bias": draw.normal()}
    rows = [(draw.integers(vocabulary, p).tolist(), draw.integers(vocabulary, r).tolist())
            for p, r in [(3, 4), (1, 6), (5, 1), (2, 2), (4, 5), (3, 3), (6, 6), (1, 4)]]
    holes = {1: [2, 3], 4: [4], 6: [0]}  # inside, at the end, at the start
    counts = [[t not in holes.get(row, []) for t in range(len(response))]
              for row, (_, response) in enumerate(rows)]
    mask = torch.tensor([c + [False] * (width - len(c)) for c in counts])
    real = torch.tensor([[t < len(c) for t in range(width)] for c in counts])
    scores = draw.normal(len(rows))
    minibatches = [[[5, 2, 1, 7], [0, 6, 3, 4]], [[4, 7, 2, 6], [3, 0, 5, 1]]]

    with torch.no_grad():
        log_probs, entropies = log_probs_of(policy, rows, width, options["temperature"])
        ref_log_probs, _ = log_probs_of(reference, rows, width, options["temperature"])
        values = values_of(critic, rows, width)
        kl = log_probs - ref_log_probs
        rewards = kl_shaped_rewards(scores, kl, mask, options["kl_coefficient"])
        raw, returns = gae(rewards, values, mask, options["gamma"], options["lambda"])
        advantages = whiten(raw, mask, keep_mean=False)
    record = {"options": options, "policy": policy, "reference": reference, "critic": critic,
              "prompts": [p for p, _ in rows], "responses": [r for _, r in rows], "counted": counts,
              "scores": scores, "mask": mask, "log_probs": log_probs * real,
              "ref_log_probs": ref_log_probs * real, "values": values * real, "entropy": entropies * real,
              "kl": kl * real, "rewards": rewards, "raw_advantages": raw, "returns": returns,
              "advantages": advantages, "generator_seed": 5, "minibatches": minibatches, "steps": []}
    record = plain(record)  # before training moves the parameters

    policy = {key: leaf(item) for key, item in policy.items()}
    critic = {key: leaf(item) for key, item in critic.items()}
    optimizers = {"policy": (adamw(list(policy.values()), options), list(policy.values())),
                  "critic": (adamw(list(critic.values()), options), list(critic.values()))}
    for chosen in itertools.chain(*minibatches):
        batch = [rows[i] for i in chosen]
        new_log_probs, _ = log_probs_of(policy, batch, width, options["temperature"])
        p = policy_loss(new_log_probs, log_probs[chosen], advantages[chosen], mask[chosen],
                        options["clip"], options["clip"], 0.0)
        v = value_loss(values_of(critic, batch, width), values[chosen], returns[chosen], mask[chosen],
                       options["value_clip"])
        (p["loss"] + options["value_coefficient"] * v["loss"]).backward()
        norms = {name: clip_and_step(*item, options) for name, item in optimizers.items()}
        record["steps"].append(plain({
            "policy_loss": p["loss"], "clip_fraction": p["clip_fraction"], "approx_kl": p["approx_kl"],
            "ratio_mean": p["ratio_mean"], "value_loss": v["loss"],
            "value_clip_fraction": v["clip_fraction"], "policy_gradient_norm": norms["policy"],
            "critic_gradient_norm": norms["critic"]}))
    record["final"] = plain({"policy": policy, "critic": critic})
    return record
