"""Expected tokens for tests/golden/text/tokenizer_families_test.cpp, from the Python package `tokenizers`.

    pip install tokenizers==0.23.3
    python tests/golden/text/tokenizer_families.py            rewrite tests/golden/data/tokenizers
    python tests/golden/text/tokenizer_families.py --check    exit 1 if the committed files differ

texts.json is a list of texts (nasty.py). <family>.json has, for each family of families.py,
  tokenizer  what its tokenizer.json holds
  cases      one a text, in their order: [ids, kept, dropped], where kept and dropped are the decoded text with
             and without special tokens, null where that is the text itself
  marks      ids that stand before and after a text that is a sequence of its own
"""

import json
import pathlib
import sys

import tokenizers
from families import FAMILIES
from nasty import NASTY

DATA = pathlib.Path(__file__).resolve().parents[1] / "data" / "tokenizers"


def case(tokenizer, text):
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    decoded = [tokenizer.decode(ids, skip_special_tokens=skip) for skip in (False, True)]
    return [ids] + [None if value == text else value for value in decoded]


def family_file(value):
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(value))
    whole, inner = tokenizer.encode("x").ids, tokenizer.encode("x", add_special_tokens=False).ids
    place = next(i for i in range(len(whole) + 1) if whole[i : i + len(inner)] == inner)
    cases = ",\n".join(json.dumps(case(tokenizer, text), separators=(",", ":")) for text in NASTY)
    return (f'{{"made_by": "tokenizers {tokenizers.__version__}",\n'
            f'"tokenizer": {json.dumps(value, separators=(",", ":"))},\n'
            f'"marks": {json.dumps([whole[:place], whole[place + len(inner):]])},\n"cases": [\n{cases}]}}\n')


def main():
    files = {"texts": "[\n" + ",\n".join(json.dumps(text) for text in NASTY) + "]\n"}
    for name, make in FAMILIES.items():
        files[name] = family_file(make())
    DATA.mkdir(exist_ok=True)
    changed = []
    for name, contents in files.items():
        path = DATA / f"{name}.json"
        if not path.exists() or path.read_text() != contents:
            changed.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(contents)
    print(f"{len(NASTY)} texts, {len(FAMILIES)} families; changed: {', '.join(changed) or 'none'}")
    return 1 if changed and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
