"""rlhf's chat templates beside the Python package `jinja2`, set up as `transformers` sets it up.

    chat_templates_test.py PEER_RENDER [conversations, and as many made-up templates]

Exits with 77, and says why, where the package cannot be imported. PEER_RENDER is tests/peer/text/render.cpp.
"""

import json
import pathlib
import random
import subprocess
import sys

try:
    import jinja2
except ImportError as error:
    print(f"skipped: {error} (pip install jinja2)")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "golden" / "text"))
from chat_templates import CONVERSATIONS, SNIPPETS, TEMPLATES, TOKENS, VARIABLES  # noqa: E402
from jinja_reference import outcome  # noqa: E402
from nasty import NASTY  # noqa: E402

RENDER = sys.argv[1]
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 2000


def question(template, messages, prompt=False, tokens={}, variables={}):
    return {"template": template, "messages": messages, "prompt": prompt, "tokens": tokens, "variables": variables}


def expected(asked):
    names = {"messages": asked["messages"], "add_generation_prompt": asked["prompt"], "tools": None, "documents": None}
    return outcome(asked["template"], **(names | asked["tokens"] | asked["variables"]))


def random_conversation(rng):
    messages = []
    for i in range(rng.randint(0, 7)):
        role = rng.choice(["user", "assistant", "user", "assistant", "system", "tool"]) if i else rng.choice(["system", "user"])
        message = {"role": role, "content": "".join(rng.choice(NASTY) for _ in range(rng.randint(0, 3)))}
        if role == "assistant" and rng.random() < 0.2:
            message["content"] = f"<think>\n{rng.choice(NASTY)}\n</think>\n\n" + message["content"]
        if role == "assistant" and rng.random() < 0.15:
            call = {"name": rng.choice(NASTY) or "f", "arguments": {rng.choice(NASTY): rng.choice([1, 2.5, None, True, NASTY[5]])}}
            message["tool_calls"] = [{"function": call}] * rng.randint(1, 2)
        if rng.random() < 0.05:
            message["content"] = rng.choice([None, [{"type": "text", "text": "it's\t\"é\""}]])
        messages.append(message)
    return messages


class MadeUp:
    """Expressions and statements drawn from the grammar, mostly such as mean something."""

    def __init__(self, rng):
        self.rng = rng

    def text(self, depth):
        pick = self.rng.random()
        if depth <= 0 or pick < 0.3:
            return self.rng.choice(["'a b'", "''", "'Xé\\n'", "t", "'  x '", '"a,b,c"', "name", "'12'"])
        inner, other = self.text(depth - 1), self.text(depth - 1)
        return self.rng.choice([
            f"({inner} + {other})", f"({inner} ~ {self.any(depth - 1)})", f"{inner}|upper", f"{inner}|trim", f"({inner}).strip()",
            f"({inner}).split()|join('-')", f"{inner}|replace({other}, 'z')", f"({inner})[{self.whole()}:]", f"({inner})[:{self.whole()}]",
            f"({inner})[::-1]", f"{inner}|title", f"{inner}|capitalize", f"({inner} if {self.truth(depth - 1)} else {other})",
            f"{self.any(depth - 1)}|string", f"{self.any(depth - 1)}|tojson", f"({inner}).replace('a', {other})", f"({inner}).rstrip('x ')",
            f"{inner}|indent({self.rng.randint(0, 3)})", f"({inner} * {self.rng.randint(0, 3)})", f"{inner}|default({other}, true)",
            f"{self.list(depth - 1)}|join({inner})", f"({inner}).title()"])

    def whole(self):
        return self.rng.choice(["0", "1", "2", "-1", "-3", "n", "10"])

    def number(self, depth):
        if depth <= 0 or self.rng.random() < 0.4:
            return self.rng.choice(["0", "1", "2", "7", "-1", "-3", "n", "2.5", "10"])
        inner, other = self.number(depth - 1), self.number(depth - 1)
        return self.rng.choice([
            f"({inner} + {other})", f"({inner} - {other})", f"({inner} * {other})", f"({inner} // {other})", f"({inner} % {other})",
            f"({inner} / {other})", f"-{inner}", f"{self.list(depth - 1)}|length", f"{self.text(depth - 1)}|length", f"{inner}|abs",
            f"{self.text(depth - 1)}|int", f"({self.text(depth - 1)}).count('a')", f"({self.text(depth - 1)}).find('x')"])

    def list(self, depth):
        if depth <= 0 or self.rng.random() < 0.35:
            return self.rng.choice(["[]", "[1, 2, 3]", "['b', 'a', 'C']", "l", "d.k", "range(4)|list", "[none, 0, '']"])
        inner = self.list(depth - 1)
        return self.rng.choice([
            f"[{self.any(depth - 1)}, {self.any(depth - 1)}]", f"({inner} + {self.list(depth - 1)})", f"({inner})[1:]", f"({inner})[::-1]",
            f"{inner}|reverse|list", f"{inner}|sort", f"{inner}|unique|list", f"{inner}|select|list", f"({self.text(depth - 1)}).split(',')",
            f"{self.text(depth - 1)}|list", f"d.items()|list", f"d|dictsort", f"{inner}|map('string')|list", f"({inner})[{self.whole()}:{self.whole()}]",
            f"[{self.text(depth - 1)}]|map('upper')|list", f"{inner}|reject('string')|list"])

    def truth(self, depth):
        if depth <= 0 or self.rng.random() < 0.2:
            return self.rng.choice(["true", "false", "none", "x is defined", "n > 2", "t", "l"])
        return self.rng.choice([
            f"({self.any(depth - 1)} == {self.any(depth - 1)})", f"({self.number(depth - 1)} < {self.number(depth - 1)})",
            f"({self.text(depth - 1)} in {self.text(depth - 1)})", f"({self.any(depth - 1)} in {self.list(depth - 1)})",
            f"not {self.truth(depth - 1)}", f"({self.truth(depth - 1)} and {self.truth(depth - 1)})",
            f"({self.truth(depth - 1)} or {self.truth(depth - 1)})", f"({self.any(depth - 1)} is string)", f"({self.any(depth - 1)} is number)",
            f"({self.any(depth - 1)} is not none)", f"({self.text(depth - 1)}).startswith('a')", f"({self.any(depth - 1)} != {self.any(depth - 1)})",
            f"({self.any(depth - 1)} not in {self.list(depth - 1)})", f"({self.any(depth - 1)} is iterable)"])

    def any(self, depth):
        return self.rng.choice([self.text, self.number, self.list, self.truth, lambda _: "d", lambda _: "d.k[0]", lambda _: "none"])(depth)

    def space(self):
        return self.rng.choice(["", " ", "\n", "  \n ", "\n\n", "x", " y "])

    def tag(self, inner):
        left, right = self.rng.choice(["", "-", "", ""]), self.rng.choice(["", "-", "", ""])
        return f"{{%{left} {inner} {right}%}}"

    def body(self, depth):
        out = ""
        for _ in range(self.rng.randint(1, 3)):
            kind = self.rng.random()
            out += self.space()
            if kind < 0.4 or depth <= 0:
                left, right = self.rng.choice(["", "-", ""]), self.rng.choice(["", "-", ""])
                out += f"{{{{{left} {self.any(2)} {right}}}}}"
            elif kind < 0.6:
                out += self.tag(f"if {self.truth(2)}") + self.body(depth - 1)
                if self.rng.random() < 0.4:
                    out += self.tag(f"elif {self.truth(1)}") + self.body(depth - 1)
                out += self.tag("else") + self.body(depth - 1) + self.tag("endif")
            elif kind < 0.8:
                wanted = f" if {self.truth(1)}" if self.rng.random() < 0.3 else ""
                out += self.tag(f"for v in {self.list(2)}{wanted}") + "{{ loop.index }}{{ v }}" + self.body(depth - 1)
                out += self.tag("else") + "none" + self.tag("endfor")
            elif kind < 0.92:
                out += self.tag(f"set {self.rng.choice(['u', 'w'])} = {self.text(2)}") + "{{ w }}"
            else:
                out += self.tag("set w") + self.body(depth - 1) + self.tag("endset") + "{{ w|length }}"
            out += self.space()
        return out


def main():
    print(f"jinja2 {jinja2.__version__}")
    rng = random.Random(17)
    asked = [question(snippet, []) for snippet in SNIPPETS]
    for template in TEMPLATES.values():
        for messages in CONVERSATIONS.values():
            asked += [question(template, messages, prompt, TOKENS, variables) for variables in VARIABLES for prompt in (False, True)]
    for _ in range(COUNT):
        template = rng.choice(list(TEMPLATES.values()))
        asked.append(question(template, random_conversation(rng), rng.random() < 0.5, TOKENS, rng.choice(VARIABLES)))
    names = {"t": "Some text", "name": "Ünï", "n": 3, "l": ["a", 1, None, "é"], "d": {"b": 1, "a": "x", "k": ["q", 2]}}
    made_up = MadeUp(rng)
    asked += [question(made_up.body(2), [], variables=names) for _ in range(COUNT)]
    run = subprocess.run([RENDER], input="".join(json.dumps(each) + "\n" for each in asked), capture_output=True, text=True,
                         encoding="utf-8")
    answers = [json.loads(line) for line in run.stdout.split("\n")[:-1]]
    if run.returncode != 0 or len(answers) != len(asked):
        print(f"{len(answers)} answers to {len(asked)} questions\n{run.stderr}")
        return 1
    different, refused = [], 0
    for each, answer in zip(asked, answers):
        wanted = expected(each)
        if "error" in wanted and "error" in answer:
            refused += 1
        elif "unhashable" in wanted.get("error", ""):
            refused += 1  # unique of lists: not done by Python, harmless here
        elif answer != wanted:
            different.append(f"{each['template']!r} of {each['messages']!r}\n  expected {wanted!r}\n  got      {answer!r}")
    print(f"{len(asked)} templates and conversations, {refused} of them refused by both, {len(different)} differences")
    print("\n".join(different[:20]))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
