"""A file must fail to compile, with the sentences that its comments expect and no other error.

    python3 check.py COMPILE_COMMANDS COMPILER FILE

In the file, `// error: <part of the message>`, continued on lines that begin `//     `.
"""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "structure"))
from compiler import Compiler  # noqa: E402


def main():
    code = pathlib.Path(sys.argv[3]).read_text()
    expected = re.findall(r"// error: (.+(?:\n//     .+)*)", code)
    expected = [re.sub(r"\n//\s+", " ", sentence) for sentence in expected]
    errors = re.findall(r"error: (.+)", Compiler(*sys.argv[1:3]).messages(code))
    missing = [sentence for sentence in expected if not any(sentence in error for error in errors)]
    unexpected = [error for error in errors if not any(sentence in error for sentence in expected)]
    for sentence in missing:
        print("the compiler did not say:", sentence)
    for error in unexpected:
        print("the compiler also said:", error)
    print(f"{len(expected) - len(missing)} of {len(expected)} expected errors")
    return bool(missing or unexpected or not expected)


if __name__ == "__main__":
    sys.exit(main())
