"""rlhf's rows beside the Python package `trl`: where a prompt ends, what is said behind it.

    trl_formats_test.py PEER_ROWS [rows of each kind]

Exits with 77, and says why, where a package cannot be imported. PEER_ROWS is tests/peer/data/rows.cpp.
"""

import json
import os
import pathlib
import random
import subprocess
import sys

os.environ["TRANSFORMERS_OFFLINE"] = os.environ["HF_HUB_OFFLINE"] = "1"
try:
    import tokenizers
    import transformers
    from trl.data_utils import apply_chat_template, extract_prompt
except ImportError as error:
    print(f"skipped: {error} (pip install trl)")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "golden" / "text"))
from chat_templates import TEMPLATES, TOKENS  # noqa: E402
from nasty import NASTY  # noqa: E402

ROWS = sys.argv[1]
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 300
ENDS = {"llama3": "<|eot_id|>", "llama31": "<|eot_id|>", "zephyr": "</s>", "mistral": "</s>", "gemma": "<end_of_turn>"}
CONTENTS = [text for text in NASTY if text.strip() and "<" not in text] + ["Hi", "2 + 2?", "I don't know"]


def peers(template):
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizers.Tokenizer(tokenizers.models.BPE()), **TOKENS)
    tokenizer.chat_template = template
    return tokenizer


class Chats:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def said(self, role):
        return {"role": role, "content": self.rng.choice(CONTENTS)}

    def prompt(self, system):
        messages = [self.said("system")] if system and self.rng.random() < 0.4 else []
        for _ in range(self.rng.randint(0, 2)):
            messages += [self.said("user"), self.said("assistant")]
        return messages + [self.said("user")]

    def completion(self):
        messages = [self.said("assistant")]
        for _ in range(self.rng.choice([0, 0, 1])):
            messages += [self.said("user"), self.said("assistant")]
        return messages

    def row(self, kind, system):
        prompt, completion = self.prompt(system), self.completion()
        if kind == "messages":
            return "demonstration", {"messages": prompt + completion}
        if kind == "completion":
            return "demonstration", {"prompt": prompt, "completion": completion}
        if kind == "prompt":
            return "prompt", {"prompt": prompt}
        other = self.completion()
        while other == completion:
            other = self.completion()
        if kind == "preference":
            return "ranking", {"prompt": prompt, "chosen": completion, "rejected": other}
        return "ranking", {"chosen": prompt + completion, "rejected": prompt + other}

    def texts(self):
        prompt = "".join(self.rng.choice("ab é") for _ in range(self.rng.randint(0, 6)))
        chosen, rejected = ("".join(self.rng.choice("ab é") for _ in range(self.rng.randint(1, 5))) for _ in range(2))
        return {"chosen": prompt + chosen, "rejected": prompt + rejected}


def expected(tokenizer, row):
    """What TRL makes of a row: a prompt (none: language modelling) and what follows it."""
    if "chosen" in row and "prompt" not in row:
        row = row | extract_prompt(row)
    if isinstance(row.get("prompt"), str):
        return row["prompt"], [row["chosen"], row["rejected"]]
    texts = apply_chat_template(row, tokenizer)
    if "text" in texts:
        return None, [texts["text"]]
    return texts["prompt"], [texts[name] for name in ("completion", "chosen", "rejected") if name in texts]


def mistake(ours, theirs, is_text):
    if "error" in ours:
        return ours["error"]
    prompt, responses = theirs
    if prompt is None:
        ours = {"prompt": "", "responses": [ours["prompt"] + ours["responses"][0]]}
    if ours["prompt"] != (prompt or ""):
        return f"prompt {ours['prompt']!r}, not {prompt!r}"
    for mine, other in zip(ours["responses"], responses):
        # A template's line end behind the last turn is nobody's.
        if not other.startswith(mine) or (is_text and other != mine) or other[len(mine):].strip():
            return f"response {mine!r}, not {other!r}"
    return None


def main():
    chats, questions, answers = Chats(1), [], []

    def ask(template, name, read_as, row):
        tokens = {key: TOKENS[key] for key in ("bos_token", "eos_token")}
        questions.append({"row": row, "read_as": read_as, "template": template, "tokens": tokens, "end": ENDS.get(name, "<|im_end|>")})
        answers.append(expected(peers_of[name], row))

    peers_of = {name: peers(template) for name, template in TEMPLATES.items() if name != "marked"}
    for name in peers_of:
        for kind in ("messages", "completion", "prompt", "preference", "implicit"):
            for _ in range(COUNT // 10):
                read_as, row = chats.row(kind, system=name != "mistral")
                row["chat_template_kwargs"] = {"date_string": "1 Jan 2025"}  # Llama 3.1 would tell today's
                ask(TEMPLATES[name], name, read_as, row)
    texts = 0
    while texts < COUNT:
        row = chats.texts()
        if row["chosen"] == row["rejected"] or not extract_prompt(row)["prompt"] or row["chosen"][0] != row["rejected"][0]:
            continue  # refused here: nothing to prefer, or nothing to respond to
        ask(TEMPLATES["chatml"], "chatml", "ranking", row)
        texts += 1

    lines = "".join(json.dumps(question) + "\n" for question in questions)
    result = subprocess.run([ROWS], input=lines, capture_output=True, text=True, check=True)
    ours = [json.loads(line) for line in result.stdout.split("\n") if line]
    assert len(ours) == len(answers), (len(ours), len(answers))
    failed = 0
    for question, mine, theirs in zip(questions, ours, answers):
        problem = mistake(mine, theirs, isinstance(question["row"].get("chosen"), str))
        if problem:
            failed += 1
            if failed <= 5:
                print(json.dumps(question["row"], ensure_ascii=False), question["template"][:60], problem, sep="\n  ")
    print(f"{len(ours)} rows, {failed} differ")
    return 1 if failed else 0


sys.exit(main())
