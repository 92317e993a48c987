"""The compiler as this build calls it, for tests that compile small pieces of their own."""

import json
import pathlib
import shlex
import subprocess


class Compiler:
    """Checks sources as the library's own are compiled, precompiled header included."""

    def __init__(self, compile_commands, compiler):
        entries = json.loads(pathlib.Path(compile_commands).read_text())
        entry = next(entry for entry in entries if entry["file"].endswith("/consumer/two_units/other.cpp"))
        words = shlex.split(entry["command"])
        words = words[words.index(compiler):]  # without the compiler cache
        del words[words.index("-o"):words.index("-o") + 2]
        del words[words.index("-c"):words.index("-c") + 2]
        self.command, self.folder = words + ["-fsyntax-only"], entry["directory"]

    def messages(self, code, *options):
        """What the compiler says of this text; an empty string if it is content."""
        run = subprocess.run([*self.command, *options, "-x", "c++", "-"], input=code, text=True,
                             cwd=self.folder, capture_output=True)
        return run.stderr if run.returncode else ""
