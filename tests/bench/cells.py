"""What is compared with what: jobs, peers, lengths of turns, and the goals of each cell."""

import dataclasses

# Each beside a peer.
JOBS = ("generate", "generate_ctranslate2", "sft", "reward", "ranking6", "ppo", "ppo_ragged")
SIZES = ("tiny", "small")
DTYPES = {job: ("float32", "bfloat16") for job in JOBS} | {
    "generate": ("float32", "bfloat16", "int8"),
    "generate_ctranslate2": ("float32", "int8"),
}

# Ours over theirs, at least this. A cell without a goal is measured when it is asked for.
GOALS = {
    ("generate", "tiny", "float32"): 8, ("generate", "small", "float32"): 2,
    ("generate", "small", "bfloat16"): 3, ("generate", "small", "int8"): 3,
    ("generate_ctranslate2", "tiny", "float32"): 2, ("generate_ctranslate2", "tiny", "int8"): 2,
    ("generate_ctranslate2", "small", "float32"): 1.25, ("generate_ctranslate2", "small", "int8"): 1,
    ("sft", "tiny", "float32"): 5, ("sft", "small", "float32"): 1.75, ("sft", "small", "bfloat16"): 3,
    ("reward", "tiny", "float32"): 5, ("reward", "small", "float32"): 1.8,
    ("ranking6", "tiny", "float32"): 20, ("ranking6", "small", "float32"): 7,
    ("ppo", "tiny", "float32"): 3, ("ppo", "small", "float32"): 1.2, ("ppo", "small", "bfloat16"): 2.2,
    ("ppo_ragged", "tiny", "float32"): 5, ("ppo_ragged", "small", "float32"): 1.8,
}

# Share of the machine's peak, at least this; of PPO, its phase "train".
SHARE_GOALS = {("sft", "small", "float32"): 0.75, ("ppo", "small", "float32"): 0.80,
               ("generate", "small", "float32"): 0.60, ("sft", "medium", "float32"): 0.82}

# Memory, ours over theirs, at most this.
MEMORY_GOALS = {("ppo", "small", "float32"): 0.75}

# What bench_growth measures: what the value is, and its least and greatest.
GROWTH = {
    "log_prob_memory": ("MB more for log-probabilities of 4,096 tokens with a vocabulary of 49,152 than of 512",
                        None, 64),
    "mixed_lengths": ("cost of a batch of mixed lengths over the cost of its tokens in batches of equal lengths",
                      0.9, 1.1),
    "four_times_the_tokens": ("cost of a batch over the cost of its quarters", 0.9, 1.1),
    "ragged_generation": ("cost of 256 responses of 1 .. 512 tokens over the sum of their tokens' cost", None, 1.15),
    "two_threads": ("gain of a second thread over its gain for the plain matrix product", 0.9, None),
}

# Steps of one turn: long enough that handing over costs nothing, a second or more for the peer.
TURN = {("generate", "tiny"): 5, ("generate", "small"): 2, ("generate_ctranslate2", "tiny"): 20,
        ("generate_ctranslate2", "small"): 2, ("sft", "tiny"): 4, ("reward", "tiny"): 2,
        ("ranking6", "tiny"): 2}


@dataclasses.dataclass(frozen=True)
class Cell:
    job: str
    size: str
    threads: int
    dtype: str

    @property
    def our_job(self):
        return "generate" if self.job == "generate_ctranslate2" else self.job

    @property
    def turn(self):
        return TURN.get((self.job, self.size), 1)

    @property
    def goal(self):
        return GOALS.get((self.job, self.size, self.dtype))

    def peers(self, work):
        """The commands that do the same: script and options, by the dtype they compute in.

        Where there are two, the faster counts. TRL's PPO takes bf16 and ignores it, and no peer but
        CTranslate2 samples in int8: float32 then stands for both.
        """
        script, more = {
            "generate": ("generate.py", []),
            "generate_ctranslate2": ("generate_ctranslate2.py", ["--work", str(work)]),
            "sft": ("sft.py", []),
            "reward": ("reward.py", []),
            "ranking6": ("reward.py", ["--group", "6", "--batch", "2"]),
            "ppo": ("ppo.py", []),
            "ppo_ragged": ("ppo.py", ["--ends"]),
        }[self.job]
        dtypes = {"float32"}
        if self.job == "generate_ctranslate2":
            dtypes = {self.dtype}
        elif self.job in ("sft", "reward", "ranking6"):
            dtypes.add(self.dtype)
        return {dtype: [script, *more, "--dtype", dtype] for dtype in sorted(dtypes, reverse=True)}


def cells(jobs, sizes, threads, dtypes):
    """All that were asked for; without `dtypes`, those that have a goal."""
    every = (Cell(job, size, count, dtype)
             for count in threads for job in jobs for size in sizes for dtype in DTYPES[job])
    return [cell for cell in every if (cell.dtype in dtypes if dtypes else cell.goal)]


def growth_limits(case):
    """(what it is, least, greatest) of a case of bench_growth."""
    return GROWTH["two_threads" if case.startswith("two_threads") else case]
