"""docs/troubleshooting.md: the messages it explains are those that the project gives."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.errors import HeldoutError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
ERRORS = ("HeldoutError", "DamagedError", "UndecodableError")
ROWS = re.findall(r"^\| `(.+?)` \| (.+) \|$", PAGE, re.MULTILINE)


def text_of(node: ast.AST) -> str:
    """Write what a text says; what is not known before it is made stands as `…`."""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(text_of, node.values))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return "…"


def texts(tree: ast.AST) -> Iterator[str]:
    """Write every text of a module, and errors that are raised with fields as they are shown."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr | ast.Constant):
            yield text_of(node)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ERRORS:
            named = {word.arg: text_of(word.value) for word in node.keywords if word.arg}
            given = [text_of(arg) for arg in node.args if not isinstance(arg, ast.Starred)]
            yield str(HeldoutError(*given, **named))


@pytest.fixture(scope="module")
def known() -> list[str]:
    others = (ROOT / "Makefile", ROOT / "workflow" / "rules" / "library.smk")
    found = [file.read_text(encoding="utf-8") for file in others]
    for file in sorted((ROOT / "lib").rglob("*.py")):
        found += texts(ast.parse(file.read_text(encoding="utf-8")))
    return found


def in_order(pieces: list[str], text: str) -> bool:
    """Say whether the pieces follow each other in a text."""
    place = 0
    for piece in pieces:
        place = text.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return True


@pytest.mark.parametrize("message", [message for message, _ in ROWS])
def test_the_message_is_one_of_the_project(message: str, known: list[str]) -> None:
    pieces = [piece.strip() for piece in message.split("…") if piece.strip()]
    assert any(in_order(pieces, text) for text in known), message


def test_every_message_has_its_advice() -> None:
    assert len(ROWS) > 30
    assert all(len(advice) > 20 for _, advice in ROWS)
    # Whatever stands in a table is a message: a row that the pattern misses is not tested.
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert len(rows) == len(ROWS)
