"""Writes every README block fenced as ```cpp program to a file of its own.

    python3 snippets.py TOP OUT README...      prints the files, separated by semicolons
"""

import pathlib
import re
import sys


def main():
    top, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for readme in map(pathlib.Path, sys.argv[3:]):
        place = "_".join(readme.parent.relative_to(top).parts) or "top"
        text = readme.read_text()
        for number, block in enumerate(re.finditer(r"^```cpp program\n(.*?)^```$", text, re.M | re.S), 1):
            line = text[: block.start(1)].count("\n") + 1
            source = f'#line {line} "{readme}"\n{block[1]}'
            file = out / f"snippet_{place}_{number}.cpp"
            if not file.exists() or file.read_text() != source:
                file.write_text(source)
            files.append(str(file))
    print(";".join(files))


if __name__ == "__main__":
    main()
