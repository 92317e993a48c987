"""Who may include whom, and how a file looks: the rules of the tree, read from the tree."""

import pathlib
import re
import subprocess
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]

# A room and the rooms below it that it may include. Includes run downhill only.
BELOW = {
    "core": set(),
    "io": {"core"},
    "objective": {"core"},
    "optimizer": {"core"},
    "rollout": {"core"},  # generic over Decoder: it names no model
    "text": {"core", "io"},
    "report": {"core", "io"},
    "checkpoint": {"core", "io"},
    "data": {"core", "io", "text"},
    "model": {"core", "io", "text"},
    "reward": {"core", "text", "model"},
    "evaluation": {"core", "text", "data", "rollout", "objective"},
    "distributed": {"core", "optimizer"},
    # Models, rewards, sinks and collectives arrive as template arguments.
    "trainer": {"core", "data", "rollout", "objective", "optimizer", "checkpoint", "evaluation"},
}
# Source files may instantiate the trainers with the built-in models. src/kernels knows nobody.
BELOW_SOURCES = BELOW | {
    "kernels": set(),
    "model": BELOW["model"] | {"kernels"},
    "optimizer": BELOW["optimizer"] | {"kernels"},
    "rollout": BELOW["rollout"] | {"kernels"},
    "trainer": set(BELOW) - {"distributed"},
}

# Rooms that read no LibTorch, but for these headers.
LIGHT = {"io", "text", "report"}
TENSORS_IN_LIGHT = {"rlhf/io/safetensors.hpp", "rlhf/io/named_tensors.hpp"}

LONGEST_FILE = 400
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def files(*patterns):
    return sorted(file for pattern in patterns for file in TOP.glob(pattern))


def show(file):
    return str(file.relative_to(TOP))


HEADERS = files("include/rlhf/**/*.hpp")
SOURCES = files("src/**/*.cpp", "src/**/*.hpp")
CODE = HEADERS + SOURCES + files("tests/**/*.cpp", "tests/**/*.hpp", "examples/**/*.cpp", "examples/**/*.hpp")


class Tree(unittest.TestCase):
    maxDiff = None

    def none(self, offenders, rule):
        self.assertFalse(offenders, rule + ":\n  " + "\n  ".join(offenders))

    def uphill(self, code, root, below):
        offenders = []
        for file in code:
            parts = file.relative_to(TOP / root).parts
            if len(parts) < 2:
                continue  # rlhf.hpp and fwd.hpp stand above the rooms
            room = parts[0]
            self.assertIn(room, below, f"{show(file)}: a room that this test does not know")
            for included in INCLUDE.findall(file.read_text()):
                # Out of a folder within the room is not yet out of the room.
                inner = re.sub(rf"^(\.\./){{{len(parts) - 2}}}", "", included)
                target = re.match(r"(?:rlhf|\.\.)/(?:(\w+)/)?", inner)
                if target and target[1] not in below[room] | {room}:
                    offenders.append(f"{show(file)} includes {included}")
        return offenders

    def test_public_headers_include_downhill_only(self):
        self.none(self.uphill(HEADERS, "include/rlhf", BELOW), "a room may include only those below it")

    def test_sources_include_downhill_only(self):
        self.none(self.uphill(SOURCES, "src", BELOW_SOURCES), "a room may include only those below it")

    def test_rooms_without_tensors_read_no_libtorch(self):
        headers = {str(file.relative_to(TOP / "include")): file.read_text() for file in HEADERS}

        def read_by(header, seen):
            for included in INCLUDE.findall(headers.get(header, "")):
                if included not in seen:
                    seen.add(included)
                    read_by(included, seen)
            return seen

        offenders = [
            header
            for header in headers
            if header.split("/")[1] in LIGHT and header not in TENSORS_IN_LIGHT
            and any(re.match("(torch|ATen|c10)/", included) for included in read_by(header, set()))
        ]
        self.none(offenders, "these rooms are compiled without LibTorch, in a third of the time")

    def test_nothing_includes_all_of_libtorch(self):
        offenders = [show(file) for file in HEADERS + SOURCES if "torch/torch.h" in INCLUDE.findall(file.read_text())]
        self.none(offenders, "torch/torch.h costs every reader 20 s; include rlhf/core/tensor.hpp")

    def test_public_headers_include_no_private_dependency(self):
        offenders = [
            f"{show(file)} includes {included}"
            for file in HEADERS
            for included in INCLUDE.findall(file.read_text())
            if re.match(r"(fmt|spdlog)/|pcre2|utf8proc|CLI/", included)
        ]
        self.none(offenders, "fmt, spdlog, PCRE2, utf8proc and CLI11 are for source files")

    def test_the_umbrella_header_names_every_public_header(self):
        umbrella = TOP / "include/rlhf/rlhf.hpp"
        expected = {str(file.relative_to(TOP / "include")) for file in HEADERS} - {"rlhf/rlhf.hpp", "rlhf/fwd.hpp"}
        named = {included for included in INCLUDE.findall(umbrella.read_text()) if included.startswith("rlhf/")}
        self.none([f'#include "{header}"' for header in sorted(expected - named)], "add to rlhf.hpp")

    def test_every_header_begins_with_what_it_is_for(self):
        offenders = [show(file) for file in HEADERS if not file.read_text().startswith("/// ")]
        self.none(offenders, "the first line of a public header is /// and a sentence")

    def test_every_header_is_guarded(self):
        offenders = [show(file) for file in CODE if file.suffix == ".hpp" and "\n#pragma once\n" not in file.read_text()]
        self.none(offenders, "a header says #pragma once")

    def test_no_file_is_long(self):
        lengths = {show(file): file.read_text().count("\n") for file in CODE}
        self.none([f"{name}: {n} lines" for name, n in lengths.items() if n > LONGEST_FILE], f"at most {LONGEST_FILE} lines")

    def test_no_file_names_a_path_of_one_machine(self):
        listed = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True)
        if listed.returncode != 0:
            self.skipTest("not a git checkout")
        offenders = []
        for name in listed.stdout.splitlines():
            file = TOP / name
            if not file.is_file() or file.stat().st_size > 1 << 20:
                continue
            for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
                if re.search(r"(?<![\w.*}])/(work|root|home|opt)/\w", line):
                    offenders.append(f"{name}:{number}: {line.strip()[:80]}")
        self.none(offenders, "paths of one machine help nobody else")


if __name__ == "__main__":
    unittest.main()
