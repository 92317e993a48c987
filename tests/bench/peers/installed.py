"""Fails unless this Python has what requirements.txt names."""

import importlib.metadata
import pathlib
import sys

for line in pathlib.Path(__file__).with_name("requirements.txt").read_text().splitlines():
    if line.startswith("#"):
        continue
    name, wanted = line.split("==")
    try:
        version = importlib.metadata.version(name).split("+")[0]
    except importlib.metadata.PackageNotFoundError:
        version = "none"
    if version != wanted:
        sys.exit(f"{name}: {wanted} is wanted, {version} is here")
