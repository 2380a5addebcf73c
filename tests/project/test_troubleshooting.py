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
ROWS = re.findall(r"^\| `(.+?)` \| (.+) \|$", PAGE, re.MULTILINE)


def text(node: ast.AST) -> str:
    """Write out an argument as a person reads it; what is only known later stands as `…`."""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(text, node.values))
    return str(node.value) if isinstance(node, ast.Constant) else "…"


def texts(tree: ast.AST) -> Iterator[str]:
    """List every text of a module, and every error as it is read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr | ast.Constant):
            yield text(node)
        elif isinstance(node, ast.Call) and text_of_name(node.func) == "HeldoutError":
            fields = ["place", "expected", "got", "advice"]
            given = dict(zip(fields, map(text, node.args), strict=False))
            given |= {str(word.arg): text(word.value) for word in node.keywords}
            yield str(HeldoutError(**{"place": "…"} | given))


def text_of_name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


@pytest.fixture(scope="module")
def known() -> list[str]:
    found = [(ROOT / "Makefile").read_text(encoding="utf-8")]
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
