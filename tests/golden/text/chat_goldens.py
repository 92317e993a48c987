"""Expected texts for tests/golden/text/chat_templates_test.cpp, from the Python package `jinja2`.

    pip install jinja2==3.1.6
    python tests/golden/text/chat_goldens.py            rewrite tests/golden/data/chat_templates.json
    python tests/golden/text/chat_goldens.py --check    exit 1 if the committed file differs

The file has what chat_templates.py holds (templates, conversations, variables, tokens) and
  rendered   [template, conversation, number of the variables, add_generation_prompt, text]
  snippets   [template, text, ranges in bytes of its generation blocks or null]
The text is null where Jinja raises an error.
"""

import json
import pathlib
import sys

import jinja2
from chat_templates import CONVERSATIONS, SNIPPETS, TEMPLATES, TOKENS, VARIABLES
from jinja_reference import outcome

PATH = pathlib.Path(__file__).resolve().parents[1] / "data" / "chat_templates.json"


def render(template, messages, variables={}, prompt=False, tokens={}):
    names = {"messages": messages, "add_generation_prompt": prompt, "tools": None, "documents": None}
    return outcome(template, **(names | tokens | variables))


def rendered():
    for name, template in TEMPLATES.items():
        for title, messages in CONVERSATIONS.items():
            for number, variables in enumerate(VARIABLES):
                for prompt in (False, True):
                    text = render(template, messages, variables, prompt, TOKENS).get("text")
                    yield [name, title, number, prompt, text]


def main():
    def lines(rows):
        return "[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "]"

    snippets = []
    for snippet in SNIPPETS:
        result = render(snippet, [])
        snippets.append([snippet, result.get("text"), result.get("generated")])
    contents = (f'{{"made_by": "jinja2 {jinja2.__version__}",\n"tokens": {json.dumps(TOKENS)},\n'
                f'"templates": {json.dumps(TEMPLATES)},\n"conversations": {json.dumps(CONVERSATIONS)},\n'
                f'"variables": {json.dumps(VARIABLES)},\n"rendered": {lines(rendered())},\n'
                f'"snippets": {lines(snippets)}}}\n')
    changed = not PATH.exists() or PATH.read_text() != contents
    print(f"{len(SNIPPETS)} snippets, {len(TEMPLATES)} templates; {'changed' if changed else 'unchanged'}")
    if "--check" not in sys.argv:
        PATH.write_text(contents)
    return 1 if changed and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
