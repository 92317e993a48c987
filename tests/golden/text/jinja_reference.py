"""Jinja as `transformers` runs chat templates: the settings of its own environment, from the package jinja2."""

import json

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(jinja2.ext.Extension):
    """{% generation %}: remembers where in the output its body stands."""

    tags = {"generation"}

    def __init__(self, environment):
        super().__init__(environment)
        environment.generation = self
        self.blocks, self.ranges = [], []

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("mark"), [], [], body).set_lineno(line)

    def mark(self, caller):
        text = caller()
        start = len("".join(self.blocks).encode())
        if text:
            self.ranges.append([start, start + len(text.encode())])
        return text


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def to_json(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def render(source, **variables):
    """The text and the ranges, in bytes, of {% generation %} blocks that are not empty. There is no strftime_now."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                                extensions=[Generation, jinja2.ext.loopcontrols])
    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = raise_exception
    template = environment.from_string(source)
    tracker = environment.generation
    context = template.new_context(variables)
    try:
        for block in template.root_render_func(context):
            tracker.blocks.append(block)
    except Exception:
        environment.handle_exception()
    return "".join(tracker.blocks), tracker.ranges


def outcome(source, **variables):
    """{"text": ..., "generated": [...]} or {"error": ...}"""
    try:
        text, ranges = render(source, **variables)
    except Exception as error:  # templates raise what Python raises
        return {"error": f"{type(error).__name__}: {error}"}
    return {"text": text, "generated": ranges} if "endgeneration" in source else {"text": text}
