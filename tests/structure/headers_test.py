"""Each public header compiles alone.

    python3 headers_test.py COMPILE_COMMANDS COMPILER
"""

import concurrent.futures
import pathlib
import sys

from compiler import Compiler

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "include"

# The compiler stops at the first error. When that is this line, all before it was sound, and what
# a whole translation unit costs at its end (seconds, for LibTorch's templates) is saved.
SENTINEL = "this header compiles alone"


def complaint(compiler, header):
    code = f'#include "{header}"\nstatic_assert(false, "{SENTINEL}");\n'
    messages = compiler.messages(code, "-fmax-errors=1", "-Wfatal-errors")
    return "" if SENTINEL in messages else f"{header} does not compile alone:\n{messages}"


def main():
    compiler = Compiler(*sys.argv[1:])
    headers = sorted(str(header.relative_to(INCLUDE)) for header in INCLUDE.glob("rlhf/**/*.hpp"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        complaints = [text for text in pool.map(lambda header: complaint(compiler, header), headers) if text]
    print("\n".join(complaints) or f"{len(headers)} headers compile alone")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
