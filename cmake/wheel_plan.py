"""Reads pip's dry-run report and fails if what would come is not a small CPU build of torch.

    pip install --dry-run --report - torch==... | python wheel_plan.py LARGEST_MB
"""

import json
import os
import re
import sys
import urllib.parse
import urllib.request


def megabytes(url):
    """Size of a wheel without downloading it; 0 where the server does not say."""
    parts = urllib.parse.urlparse(url)
    try:
        if parts.scheme == "file":
            return os.path.getsize(urllib.request.url2pathname(parts.path)) / 1e6
        request = urllib.request.Request(url, method="HEAD")
        with urllib.request.urlopen(request, timeout=30) as reply:
            return int(reply.headers.get("Content-Length", 0)) / 1e6
    except (OSError, ValueError):
        return 0


def main():
    largest = float(sys.argv[1])
    try:
        plan = json.load(sys.stdin)["install"]
    except (ValueError, KeyError):
        return "setup: pip could not say what it would install"
    names = sorted(item["metadata"]["name"] for item in plan)
    cuda = [name for name in names if re.match(r"nvidia|cuda|triton", name)]
    if cuda:
        return f"setup: pip would bring a CUDA build of gigabytes ({', '.join(cuda)})"
    torch = next(item for item in plan if item["metadata"]["name"] == "torch")
    size = megabytes(torch["download_info"]["url"])
    if size > largest:
        return f"setup: the torch wheel has {size:.0f} MB, more than a CPU build's {largest:.0f}"
    version, size = torch["metadata"]["version"], f", {size:.0f} MB" if size else ""
    print(f"setup: pip brings torch {version}{size}, and {len(names) - 1} small packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
