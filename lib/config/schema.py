"""Checking what a person wrote against a JSON schema, and telling what was meant."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from lib.errors import HeldoutError, nearest, suggestion
from lib.files import require_plain

# The types of JSON in the words of whoever writes YAML, and what a schema may ask of a value.
_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping (key: value)",
    "string": "text",
}
_LIMITS = {
    "minimum": "{} or more",
    "exclusiveMinimum": "more than {}",
    "maximum": "{} or less",
    "exclusiveMaximum": "less than {}",
    "minItems": "with {} or more values",
    "minProperties": "with {} or more keys",
    "minLength": "with {} or more characters",
    "maxLength": "with {} or fewer characters",
    "uniqueItems": "each value once",
}


def validate(value: Any, schema: Mapping[str, Any], where: str) -> None:
    """Check a value against a JSON schema and report every fault in one error.

    Parameters
    ----------
    value : object
        What was read.
    schema : mapping
        JSON schema, draft 2020-12, but that 4.0 is no integer.
    where : str
        The file or option that the value is from, for the message.

    Raises
    ------
    HeldoutError
        Lists each fault: the key, what was expected, what came, and the nearest known key.
    """
    import jsonschema

    require_plain(value, where)

    draft = jsonschema.Draft202012Validator
    # The draft takes 4.0 for an integer, and whoever uses the value takes it for a float.
    whole = draft.TYPE_CHECKER.redefine(
        "integer", lambda _, item: isinstance(item, int) and not isinstance(item, bool)
    )
    validator = jsonschema.validators.extend(draft, type_checker=whole)(schema)
    faults = sorted(validator.iter_errors(value), key=lambda fault: list(map(str, fault.path)))
    # Of several keys that are missing in one place there is a fault each, which names them all.
    lines = list(dict.fromkeys(line for fault in faults for line in _explain(fault)))
    if lines:
        raise HeldoutError(f"{where}:\n" + "\n".join(f"  - {line}" for line in lines))


def _explain(fault: Any) -> Iterator[str]:
    """Say in a line or more what is wrong, with the path of the key."""
    path = ".".join(map(str, fault.absolute_path))
    at = f"{path}: " if path else ""
    if fault.validator == "additionalProperties" and isinstance(fault.instance, dict):
        known = list(fault.schema.get("properties", {}))
        gone = fault.schema.get("gone", {})
        for key in fault.instance:
            if key in gone:
                yield f"{at}the key {key!r} is gone: {gone[key]}"
            elif key not in known:
                yield f"{at}unknown key {key!r}. {suggestion(str(key), known)}"
    elif fault.validator == "required":
        missing = [key for key in fault.validator_value if key not in fault.instance]
        others = [key for key in fault.instance if key not in fault.schema.get("properties", {})]
        slips = {key: nearest(key, others) for key in missing}
        meant = "".join(
            f" Did you mean {key!r} by {slip!r}?" for key, slip in slips.items() if slip
        )
        yield (
            f"{at}expected the keys {', '.join(missing)}, which are missing.{meant} Add them: "
            "docs/configuration.md describes each."
        )
    elif fault.validator == "enum":
        yield (
            f"{at}expected one of {', '.join(map(str, fault.validator_value))}, "
            f"got {reprlib.repr(fault.instance)}."
        )
    elif fault.validator == "pattern" and "x00" in fault.validator_value:
        yield f"{at}expected text without control characters, got {reprlib.repr(fault.instance)}."
    elif fault.validator == "pattern":
        yield f"{at}expected letters, digits and underscores, got {reprlib.repr(fault.instance)}."
    elif fault.validator == "propertyNames":
        yield f"{at}{fault.message}."
    else:
        description = fault.schema.get("description", "")
        # Of what a person wrote, as much as shows which value it is.
        message = f"expected {_expected(fault.schema)}, got {reprlib.repr(fault.instance)}."
        yield f"{at}{message}" + (f" It is: {description}." if description else "")
        number = fault.validator == "type" and isinstance(fault.instance, int | float)
        if number and "string" in fault.validator_value:
            yield (
                f"{at}a name that reads as a number has to be in quotes; on the command line, a "
                f"path with ./ before it: {fault.path[-1]}=./007."
            )
        if fault.validator_value == "integer" and isinstance(fault.instance, list):
            number = next((item for item in fault.instance if isinstance(item, int)), 3)
            yield f"{at}write one number: `{fault.path[-1]}: {number}`."


def _expected(schema: Mapping[str, Any]) -> str:
    """Say in words what a part of a JSON schema takes."""
    if "anyOf" in schema:
        return ", or ".join(map(_expected, schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    stated = schema.get("type", [])
    kinds = [stated] if isinstance(stated, str) else list(stated)
    # The schema of a key has no type: it is a name.
    words = " or ".join(_TYPES[kind] for kind in kinds if kind != "null") or "a name"
    limits = [text.format(schema[key]) for key, text in _LIMITS.items() if key in schema]
    return ", ".join([words, *limits, *(["or null"] if "null" in kinds else [])])


def typed(value: Any, schema: Mapping[str, Any] | bool) -> Any:
    """Read numbers and truth values that arrived as text, where the schema does not want text.

    On Snakemake's command line every value inside a list or a mapping arrives as text:
    `--config seeds=[0,1]` gives `['0', '1']`.

    Parameters
    ----------
    value : object
        What was read.
    schema : mapping or bool
        The part of a JSON schema that is about this value.

    Returns
    -------
    object
        The value, with text replaced where it reads as what is expected.
    """
    rules: Mapping[str, Any] = schema if isinstance(schema, Mapping) else {}
    if isinstance(value, Mapping):
        known = rules.get("properties", {})
        other = rules.get("additionalProperties", {})
        return {key: typed(item, known.get(key, other)) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item, rules.get("items", {})) for item in value]
    kinds = rules.get("type", [])
    if not isinstance(value, str) or "string" in kinds or "enum" in rules:
        return value
    try:
        read = yaml.safe_load(value)
        if isinstance(read, str) and "e" in value.lower():
            read = float(value)  # YAML 1.1 takes 1e-4 for text
    except (ValueError, yaml.YAMLError, RecursionError):
        return value
    whole = "integer" in kinds and "number" not in kinds
    return int(read) if whole and isinstance(read, float) and read.is_integer() else read
