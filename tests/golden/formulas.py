"""The published formulas in plain PyTorch, float64. `mask` is bool [B, T]; a row may have holes."""

import itertools
import math

import torch


def log_softmax(logits, temperature):
    scaled = logits / temperature
    return scaled - torch.logsumexp(scaled, -1, keepdim=True)


def token_log_probs(logits, targets, temperature):
    return log_softmax(logits, temperature).gather(-1, targets.unsqueeze(-1)).squeeze(-1)


def entropy(logits, temperature):
    return torch.distributions.Categorical(logits=logits / temperature).entropy()


def full_kl(logits, ref_logits, temperature):
    p, q = log_softmax(logits, temperature), log_softmax(ref_logits, temperature)
    return torch.nn.functional.kl_div(q, p, reduction="none", log_target=True).sum(-1)


ESTIMATORS = {  # Schulman, "Approximating KL divergence"; d = log p - log ref, drawn from p
    "k1": lambda d: d,
    "abs": lambda d: d.abs(),
    "k2": lambda d: d.pow(2) / 2,
    "k3": lambda d: d.neg().exp() - 1 + d,
}


def counted(mask_row):
    return [t for t in range(len(mask_row)) if mask_row[t]]


def gae(rewards, values, mask, gamma, lam):
    """Schulman et al. 2016, eq. 16, as the explicit sum over the counted tokens that follow."""
    advantages = torch.zeros_like(rewards)
    for row in range(len(mask)):
        slots = counted(mask[row])
        next_values = [values[row, t] for t in slots[1:]] + [0.0]
        deltas = [rewards[row, t] + gamma * after - values[row, t]
                  for t, after in zip(slots, next_values)]
        for k, t in enumerate(slots):
            advantages[row, t] = sum((gamma * lam) ** (m - k) * deltas[m]
                                     for m in range(k, len(slots)))
    return advantages, (advantages + values) * mask


def kl_shaped_rewards(scores, kl, mask, coefficient):
    rows = []
    for row in range(len(mask)):
        last = counted(mask[row])[-1]
        rows.append(torch.stack([-coefficient * kl[row, t] * mask[row, t]
                                 + (scores[row] if t == last else 0.0)
                                 for t in range(mask.shape[1])]))
    return torch.stack(rows)


def whiten(x, mask, keep_mean):
    selected = x[mask]
    mean = selected.mean()
    white = (selected - mean) / torch.sqrt(selected.var(unbiased=False) + 1e-8)
    return torch.zeros_like(x).masked_scatter(mask, white + mean if keep_mean else white)


def policy_loss(log_probs, old_log_probs, advantages, mask, low, high, dual, denominator=None):
    """Schulman et al. 2017, eq. 7; Ye et al. 2020 (arXiv 1912.09729), eq. 5, for the dual clip."""
    count = denominator or mask.sum().item()
    d = (log_probs - old_log_probs)[mask]
    ratio, a = d.exp(), advantages[mask]
    plain_loss = -a * ratio
    clipped_loss = -a * torch.clamp(ratio, 1 - low, 1 + high)
    loss = torch.maximum(plain_loss, clipped_loss)
    if dual:
        loss = torch.where(a < 0, torch.minimum(loss, -a * dual), loss)
    return {"loss": loss.sum() / count,
            "clip_fraction": (clipped_loss > plain_loss).sum().item() / count,
            "approx_kl": d.detach().pow(2).sum() / 2 / count,
            "ratio_mean": ratio.detach().sum() / count}


def value_loss(values, old_values, returns, mask, clip, denominator=None):
    count = denominator or mask.sum().item()
    v, old, r = values[mask], old_values[mask], returns[mask]
    squared = (v - r).pow(2)
    clipped = (torch.minimum(torch.maximum(v, old - clip), old + clip) - r).pow(2)
    return {"loss": torch.maximum(squared, clipped).sum() / 2 / count,
            "clip_fraction": (clipped > squared).sum().item() / count}


def ranking_loss(scores, group_sizes, ranks, margin, denominator):
    """Ouyang et al. 2022, eq. 1, each prompt's pairs averaged, then the prompts."""
    losses, hits, gaps, start = [], [], [], 0
    for size in group_sizes:
        group = range(start, start + size)
        start += size
        pairs = [(i, j) if ranks is None or ranks[i] < ranks[j] else (j, i)
                 for i, j in itertools.combinations(group, 2)
                 if ranks is None or ranks[i] != ranks[j]]
        if not pairs:
            continue
        gap = [scores[i] - scores[j] for i, j in pairs]
        losses.append(sum(-torch.log(torch.sigmoid(g - margin)) for g in gap) / len(pairs))
        gaps.append([g.item() for g in gap])
        hits.append([1.0 if g > 0 else 0.5 if g == 0 else 0.0 for g in gaps[-1]])
    if denominator:  # of groups: every mean is one over groups, so that microbatches add up
        def average(groups):
            return sum(sum(g) / len(g) for g in groups) / denominator
    else:
        def average(groups):
            return sum(map(sum, groups)) / sum(map(len, groups))
    return {"loss": sum(losses) / (denominator or len(losses)), "accuracy": average(hits),
            "margin": average(gaps)}


def adamw(parameters, options):
    """torch.optim.AdamW with the weight decay on matrices only."""
    matrices = [p for p in parameters if p.dim() >= 2]
    others = [p for p in parameters if p.dim() < 2]
    return torch.optim.AdamW([{"params": matrices, "weight_decay": options["weight_decay"]},
                              {"params": others, "weight_decay": 0.0}],
                             lr=options["learning_rate"], betas=(options["beta1"], options["beta2"]),
                             eps=options["epsilon"], foreach=False)


def clip_and_step(optimizer, parameters, options, factor=1.0):
    """One step at a fraction of the learning rate; the gradient norm before clipping."""
    largest = options["max_gradient_norm"] or math.inf
    norm = torch.nn.utils.clip_grad_norm_([p for p in parameters if p.grad is not None], largest)
    for group in optimizer.param_groups:
        group["lr"] = options["learning_rate"] * factor
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return norm.item()
