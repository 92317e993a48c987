"""rlhf's tokenizers beside the Python package `tokenizers`, on texts of all scripts. What rlhf saved is read
back by the package, too.

    tokenizers_test.py PEER_ENCODE DATA_FOLDER [texts a family]

Exits with 77, and says why, where the package cannot be imported. PEER_ENCODE is tests/peer/text/encode.cpp.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile

try:
    import tokenizers
    from tokenizers import Tokenizer
except ImportError as error:
    print(f"skipped: {error} (pip install tokenizers)")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "golden" / "text"))
from families import FAMILIES  # noqa: E402
from nasty import NASTY  # noqa: E402

ENCODE, DATA = sys.argv[1], pathlib.Path(sys.argv[2])
TEXTS = int(sys.argv[3]) if len(sys.argv) > 3 else 12_000


def random_point(rng):
    """A character of any plane; scripts that are written more than others come more often."""
    low, high = rng.choice(BLOCKS)
    point = rng.randint(low, high)
    return " " if 0xD800 <= point < 0xE000 else chr(point)


BLOCKS = [(0x20, 0x7E)] * 6 + [
    (0x00, 0x20), (0xA0, 0xFF), (0x100, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF), (0x530, 0x5FF),
    (0x600, 0x6FF), (0x700, 0x8FF), (0x900, 0xDFF), (0xE00, 0xFFF), (0x1000, 0x13FF), (0x1100, 0x11FF),
    (0x1400, 0x1CFF), (0x1D00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x23FF), (0x2400, 0x2BFF), (0x2C00, 0x2FFF),
    (0x3000, 0x312F), (0x3130, 0x33FF), (0x4E00, 0x9FFF), (0xA000, 0xABFF), (0xAC00, 0xD7A3), (0xE000, 0xFFFF),
    (0x10000, 0x11FFF), (0x12000, 0x16FFF), (0x17000, 0x1BFFF), (0x1D000, 0x1D7FF), (0x1D800, 0x1EFFF),
    (0x1F000, 0x1FAFF), (0x1FB00, 0x2FFFF), (0x30000, 0x323AF), (0xE0000, 0xE01EF), (0x110000 - 16, 0x10FFFF)]
JOINTS = ["", "", "", " ", " ", "  ", "\n", "\r\n", "\t", "'s", "'LL", "'", "1", "12345", "\u0301", "\u200d", ".", " ,"]


def random_text(rng, contents):
    """Stretches of one script each, nasty strings and the contents of added tokens, glued together."""
    text = ""
    for _ in range(rng.randint(1, 7)):
        kind = rng.random()
        if kind < 0.15:
            text += rng.choice(NASTY)
        elif kind < 0.35 and contents:
            text += rng.choice(contents)
        elif kind < 0.5:
            text += "".join(random_point(rng) for _ in range(rng.randint(1, 6)))
        else:
            low, high = rng.choice(BLOCKS)
            points = (rng.randint(low, high) for _ in range(rng.randint(1, 8)))
            text += "".join(" " if 0xD800 <= point < 0xE000 else chr(point) for point in points)
        text += rng.choice(JOINTS)
    return text


def differences(folder, texts):
    """What our program answers otherwise than the package, a line each."""
    peer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    saved = folder / "saved"
    run = subprocess.run([ENCODE, str(folder), str(saved)], input=lines, capture_output=True, text=True, encoding="utf-8")
    if run.returncode != 0:
        return [run.stderr]
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    if len(answers) != len(texts):
        return [f"{len(answers)} answers to {len(texts)} texts"]
    again = Tokenizer.from_file(str(saved / "tokenizer.json"))
    found = [f"{folder.name}, saved: ids of {text!a}" for text, answer in zip(NASTY, answers)
             if again.encode(text, add_special_tokens=False).ids != answer["ids"]]
    for text, answer in zip(texts, answers):
        ids = peer.encode(text, add_special_tokens=False).ids
        expected = {"ids": ids, "sequence": peer.encode(text).ids,
                    "kept": peer.decode(ids, skip_special_tokens=False), "dropped": peer.decode(ids)}
        for key in ("kept", "dropped"):
            answer[key] = bytes.fromhex(answer[key]).decode("utf-8", errors="replace")
        for key, value in expected.items():
            if answer[key] != value:
                found.append(f"{folder.name}: {key} of {text!a}\n  expected {value!a}\n  got      {answer[key]!a}")
    return found


def check(folder, contents, seed, count):
    rng = random.Random(seed)
    texts = NASTY + [random_text(rng, contents) for _ in range(count)]
    texts.append("".join(texts[:2000]))
    found = differences(folder, texts)
    print(f"{folder.name}: {len(texts)} texts, {len(found)} differences", flush=True)
    return found


def gpt2_folder(top):
    """GPT-2's own vocabulary, from its two files."""
    source = DATA / "tokenizer_gpt2"
    if not source.exists():
        print(f"without GPT-2's vocabulary: {source} is absent")
        return None
    model = tokenizers.models.BPE.from_file(str(source / "encoder.json"), str(source / "vocab.bpe"))
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    folder = top / "gpt2_real"
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def main():
    print(f"tokenizers {tokenizers.__version__}")
    found = []
    with tempfile.TemporaryDirectory() as name:
        top = pathlib.Path(name)
        for seed, (family, make) in enumerate(FAMILIES.items()):
            folder = top / family
            folder.mkdir()
            value = make()
            (folder / "tokenizer.json").write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
            found += check(folder, [token["content"] for token in value["added_tokens"]], seed, TEXTS)
        real = gpt2_folder(top)
        if real:
            found += check(real, ["<|endoftext|>"], 99, TEXTS)
    print("\n".join(found[:20]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
