"""A validator for the JSON schema keywords that the schema of specs uses; any other is an error."""

from __future__ import annotations

import re

KINDS = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "number": (int, float),
    "integer": int,
}
NOTES = {"$schema", "$id", "$defs", "title", "description", "default", "examples"}
EDITORS = {"enumDescriptions", "x-taplo"}


def is_kind(value, kind) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, KINDS[kind])


def errors(value, schema, root=None, at="$") -> list[str]:
    """Places of the value that break the schema, each with the keyword."""
    root = schema if root is None else root
    if schema is True or schema is False:
        return [] if schema else [f"{at}: false"]
    found: list[str] = []
    for keyword, wanted in schema.items():
        if keyword in NOTES | EDITORS | {"then"}:
            continue
        check = CHECKS.get(keyword)
        assert check is not None, f"this validator does not know {keyword}"
        inner = check(value, wanted, schema, root, at)
        if inner is False:
            found.append(f"{at}: {keyword}")
        elif isinstance(inner, list):
            found += inner
    return found


def ref(value, wanted, schema, root, at):
    target = root
    for part in wanted.removeprefix("#/").split("/"):
        target = target[part]
    return errors(value, target, root, at)


def kind(value, wanted, schema, root, at):
    kinds = [wanted] if isinstance(wanted, str) else wanted
    return None if any(is_kind(value, one) for one in kinds) else False


def same(value, other) -> bool:
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def properties(value, wanted, schema, root, at):
    if not isinstance(value, dict):
        return None
    pairs = [(name, one) for name, one in wanted.items() if name in value]
    return [one for name, part in pairs for one in errors(value[name], part, root, f"{at}.{name}")]


def additional(value, wanted, schema, root, at):
    if not isinstance(value, dict):
        return None
    others = [name for name in value if name not in schema.get("properties", {})]
    return [one for name in others for one in errors(value[name], wanted, root, f"{at}.{name}")]


def items(value, wanted, schema, root, at):
    if not isinstance(value, list):
        return None
    return [
        one
        for number, part in enumerate(value)
        for one in errors(part, wanted, root, f"{at}[{number}]")
    ]


def required(value, wanted, schema, root, at):
    if not isinstance(value, dict):
        return None
    return [f"{at}: required {name}" for name in wanted if name not in value]


def dependent(value, wanted, schema, root, at):
    if not isinstance(value, dict):
        return None
    pairs = [(name, other) for name, others in wanted.items() for other in others]
    return [f"{at}: {b} with {a}" for a, b in pairs if a in value and b not in value]


def conditional(value, wanted, schema, root, at):
    return [] if errors(value, wanted, root, at) else errors(value, schema["then"], root, at)


def number(holds):
    def check(value, wanted, schema, root, at):
        measured = isinstance(value, int | float) and not isinstance(value, bool)
        return None if not measured or holds(value, wanted) else False

    return check


def size(kind, holds):
    def check(value, wanted, schema, root, at):
        return None if not isinstance(value, kind) or holds(len(value), wanted) else False

    return check


CHECKS = {
    "$ref": ref,
    "type": kind,
    "const": lambda value, wanted, *_: same(value, wanted),
    "enum": lambda value, wanted, *_: any(same(value, one) for one in wanted),
    "pattern": lambda value, wanted, *_: (
        not isinstance(value, str) or re.search(wanted, value) is not None
    ),
    "properties": properties,
    "additionalProperties": additional,
    "items": items,
    "required": required,
    "dependentRequired": dependent,
    "if": conditional,
    "allOf": lambda value, wanted, schema, root, at: [
        one for part in wanted for one in errors(value, part, root, at)
    ],
    "anyOf": lambda value, wanted, schema, root, at: any(
        not errors(value, part, root, at) for part in wanted
    ),
    "not": lambda value, wanted, schema, root, at: bool(errors(value, wanted, root, at)),
    "minimum": number(lambda value, least: value >= least),
    "maximum": number(lambda value, most: value <= most),
    "exclusiveMinimum": number(lambda value, least: value > least),
    "exclusiveMaximum": number(lambda value, most: value < most),
    "minItems": size(list, lambda n, least: n >= least),
    "maxItems": size(list, lambda n, most: n <= most),
    "minProperties": size(dict, lambda n, least: n >= least),
    "uniqueItems": lambda value, wanted, *_: (
        not isinstance(value, list) or not wanted or len({*map(repr, value)}) == len(value)
    ),
}
