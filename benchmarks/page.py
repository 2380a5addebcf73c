"""The page `docs/benchmarks.md`, made from the measurements alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

HEAD = """\
# Benchmarks

Made by `python -m benchmarks` (or `make benchmark`) from `benchmarks.json` beside it, which it writes
too; do not edit. `python -m benchmarks --help` says how to repeat a part. Figures are ratios of what was
measured in one run on one machine, named under each table.
"""


def render(found: dict[str, Any]) -> str:
    """Write the page.

    Parameters
    ----------
    found : dict
        What `benchmarks.json` holds.
    """
    parts = [HEAD]
    for name, section in found["sections"].items():
        text = RENDERERS[name](section)
        sizes = " Measured with `--quick`: the figures mean nothing." if section["quick"] else ""
        parts.append(f"{text}\n\n{_machine(section['machine'], section['seconds'])}{sizes}\n")
    return "\n".join(parts)


def _machine(machine: dict[str, Any], seconds: float) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gib']} GiB; {packages}; "
        f"{seconds / 60:.0f} min."
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _percent(value: float) -> str:
    return f"{value:.0%}" if value >= 0.1 else f"{value:.1%}"


def _speed(section: dict[str, Any]) -> str:
    rows, rest = [], []
    for row in section["rows"]:
        modes = row["modes"]
        best = min(modes, key=lambda mode: modes[mode]["seconds_per_step"])
        shape = "×".join(map(str, row["shape"]))
        batch = modes[best]["batch"]
        cells = [_percent(one["of_peak"]) for one in modes.values()]
        rows.append([f"{row['name']} ({shape}, batch {batch})", *cells, best])
        for mode in dict.fromkeys(["tensorflow plain", best]):
            one = modes[mode]
            products, data = one["products_share"], one["data_share"]
            other = max(0.0, 1 - products - data)
            cells = [_percent(part) for part in (one["of_peak"], products, data, other)]
            rest.append([row["name"], mode, *cells])
    modes = list(section["rows"][0]["modes"])
    return f"""\
## How much of the machine a training step uses

Operations of the matrix products of a step (formulas in `benchmarks/products.py`) a second, over
the float32 matrix product of the same machine at its best size, measured in the same run. Every
architecture at the shapes of its study's full effort, with the first trial of its grid, on {section["threads"]}
threads.

{_table(["network", *modes, "fastest"], rows)}

Where the time of a step goes: into its matrix products as fast as the machine does them alone, one by
one and at these sizes (small ones do not reach the peak); into making the batch, as long as that is
not done meanwhile; and into all else: activations and gates, normalisation, pooling, dropout, the
optimizer, and starting each of the many small operations of a recurrent step.

{_table(["network", "mode", "of the peak", "products", "data", "all else"], rest)}"""


RENDERERS: dict[str, Callable[[dict[str, Any]], str]] = {"speed": _speed}
