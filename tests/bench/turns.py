"""Processes that work only when asked, and the measuring of two or more of them in turn."""

import json
import os
import statistics
import subprocess


def environment(threads):
    """Of a program on so many threads: those that wait leave the processor alone."""
    return os.environ | {
        "OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0",
        "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}


class Worker:
    """One side: a program that answers `step N` with a line of JSON (see README.md)."""

    def __init__(self, command, threads, log):
        self.command, self.log = command, log
        with open(log, "w") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=errors, text=True, env=environment(threads))
        self.turns = []

    def answer(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        self.process.wait()
        with open(self.log) as errors:
            tail = "".join(errors.readlines()[-15:])
        raise RuntimeError(f"{' '.join(map(str, self.command))} ended with {self.process.returncode}:\n{tail}")

    def ready(self):
        self.facts = self.answer()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def step(self, count):
        self.ask(f"step {count}")
        return self.answer()

    def end(self):
        self.ask("end")
        self.facts |= self.answer()
        self.process.wait()

    def close(self):
        """Ends it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def rates(self, clock="seconds"):
        """Units a second, of each turn."""
        return [turn["units"] / turn[clock] for turn in self.turns]


def alternate(workers, steps, pairs, warmup=1):
    """Lets all workers take turns of `steps` steps, `pairs` times; the first `warmup` are left out.

    @raises RuntimeError if they did not do the same work
    """
    for turn in range(warmup + pairs):
        answers = [worker.step(steps) for worker in workers]
        if len({answer["units"] for answer in answers}) != 1:
            raise RuntimeError(f"not the same work: {[answer['units'] for answer in answers]} "
                               f"{workers[0].facts['unit']}")
        if turn >= warmup:
            for worker, answer in zip(workers, answers):
                worker.turns.append(answer)


def ratios(ours, theirs, clock="seconds"):
    return [a / b for a, b in zip(ours.rates(clock), theirs.rates(clock))]


def median(values):
    return statistics.median(values)
