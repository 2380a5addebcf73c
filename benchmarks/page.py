"""The page `docs/benchmarks.md`, made from the measurements alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import fmean, median
from typing import Any

from pages.markdown import at_commit, table

HEAD = """\
# Benchmarks

Made by `python -m benchmarks` (or `make benchmark`) from `benchmarks/measured.json`, which holds
what it measured; do not edit. `python -m benchmarks --help` says how to repeat a part. Figures are
ratios of what was measured in one run on one machine, named under each table with the day and the
commit (of the oldest parts, the one that brought the figures). A part may be older than the code
that stands.
"""

NO_DEVICE = """\
## The networks of the studies on an accelerator

Not measured: no GPU or TPU was at hand. `python -m benchmarks devices` measures one.
"""


def render(found: dict[str, Any]) -> str:
    """Write the page.

    Parameters
    ----------
    found : dict
        What `measured.json` holds.
    """
    parts = [HEAD]
    for name, section in found["sections"].items():
        text = RENDERERS[name](section)
        sizes = " Measured with `--quick`: the figures mean nothing." if section["quick"] else ""
        note = f" {section['note']}" if section["note"] else ""
        parts.append(f"{text}\n\n{_machine(section)}{_older(section)}{note}{sizes}\n")
    if "devices" not in found["sections"]:
        parts.append(NO_DEVICE)
    return "\n".join(parts)


def _machine(section: dict[str, Any]) -> str:
    machine = section["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gib']} GiB; {packages}; "
        f"{section['seconds'] / 60:.0f} min; {section['date']} at commit "
        f"{at_commit(section['commit'])}."
    )


def _older(section: dict[str, Any]) -> str:
    """Name the rows that were measured before the others, with their day and commit."""
    of: dict[tuple[str, str], list[str]] = {}
    for row in section.get("rows", []):
        if row.get("commit", section["commit"]) != section["commit"]:
            of.setdefault((row["date"], row["commit"]), []).append(row["name"])
    return "".join(
        f" Measured before that, on {date} at commit {at_commit(commit)}: {', '.join(names)}."
        for (date, commit), names in of.items()
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    return table(head, rows, numbers=True).rstrip()


def _percent(value: float) -> str:
    return f"{value:.0%}" if value >= 0.1 else f"{value:.1%}"


def _speed(section: dict[str, Any]) -> str:
    rows, rest = [], []
    every = list(dict.fromkeys(mode for row in section["rows"] for mode in row["modes"]))
    for row in section["rows"]:
        modes = row["modes"]
        best = min(modes, key=lambda mode: modes[mode]["seconds_per_step"])
        shape = "×".join(map(str, row["shape"]))
        batch = modes[best]["batch"]
        cells = [_percent(modes[mode]["of_peak"]) if mode in modes else "–" for mode in every]
        rows.append([f"{row['name']} ({shape}, batch {batch})", *cells, best])
        for mode in modes:
            one = modes[mode]
            limit = sum(row["alone"].values()) / one["seconds_per_step"]
            parts = [row["alone"][what] / one["seconds_per_step"] for what in row["alone"]]
            cells = [_percent(part) for part in (one["of_peak"], *parts, limit, one["data_share"])]
            rest.append([row["name"], mode, *cells, f"{one['first_seconds']:.1f} s"])
    parts = ["products", "activations", "of the limit", "data"]
    head = ["network", "backend", "of the peak", *parts, "startup"]
    return f"""\
## How much of the machine a training step uses

Operations per second in the matrix products of a step (formulas in `benchmarks/products.py`),
relative to the peak: a float32 matrix product on the same machine at its best size, by numpy, JAX
and TensorFlow, each in a process of its own and with the kernel that it chooses for the machine. It
is measured before the first network and after the last, and the fastest counts:
{_peak(section["peak"])}.

Every architecture has the shapes that its study has at full effort, and the first trial of its
grid; {section["trainings"]} trainings run at once with one thread each, as the workflow does by
default, and their throughput is added up.

{_table(["network", *every, "fastest"], rows)}

What a step cannot do without is its matrix products and its activations. "Products" and
"activations" are the time that these take at the same sizes with nothing else, as a share of the
step: by XLA or by BLAS, whichever is faster (small products do not reach the peak). The limit is
their sum: a step that did nothing else would be at 100%. "Data" is the time spent waiting for a
batch. What is left goes into the way back through the activations, normalisation, pooling, dropout
and the optimizer. The last column is the time of tracing and compiling before the first step.

{_table(head, rest)}"""


def _peak(peak: dict[str, Any]) -> str:
    each = ", ".join(f"{name} {flops / 1e9:.0f}" for name, flops in peak["libraries"].items())
    return f"{peak['flops'] / 1e9:.0f} GFLOP/s ({each}; {peak['kernel']})"


def ratios(rows: list[dict[str, Any]], other: str) -> list[float]:
    """Compute how many times as fast Heldout is as another, by medians over rounds."""
    return [median(row["seconds"][other]) / median(row["seconds"]["heldout"]) for row in rows]


def geometric_mean(values: list[float]) -> float:
    """Compute the geometric mean of some ratios."""
    return math.exp(fmean(map(math.log, values)))


def _peers(section: dict[str, Any]) -> str:
    rows = []
    torch, keras = (ratios(section["rows"], other) for other in ("pytorch", "keras"))
    for row, *ratio in zip(section["rows"], torch, keras, strict=True):
        shape = "×".join(map(str, row["shape"]))
        each = [_milliseconds(row["seconds"][who]) for who in ("pytorch", "keras", "heldout")]
        rows.append(
            [
                f"{row['name']} ({shape}, batch {row['batch']})",
                *each,
                row["backend"],
                *(f"{one:.2f}" for one in ratio),
            ]
        )
    rounds, packages = len(section["rows"][0]["seconds"]["heldout"]), ", ".join(section["packages"])
    head = ["network", "PyTorch", "Keras", "Heldout", "on", "against PyTorch", "against Keras"]
    return f"""\
## Against PyTorch and plain Keras

Milliseconds of a training step at each study's full shapes, with one thread: the median of
{rounds} rounds and, in brackets, the fastest and the slowest; the three take turns in each round.
PyTorch ({packages}, in an environment of its own) trains the same layers in a plain loop. Keras is
`fit` with TensorFlow on float64 arrays, as the original projects call it. Heldout is the training
of the workflow, with the backend that it takes by default.

The last columns say how many times as fast Heldout is; the geometric means are
**{geometric_mean(torch):.2f}** and **{geometric_mean(keras):.2f}**. Heldout is ahead of PyTorch on
{sum(one >= 1 for one in torch)} of {len(torch)} shapes.

{_table(head, rows)}"""


def _milliseconds(seconds: list[float]) -> str:
    low, middle, high = (1000 * value for value in (min(seconds), median(seconds), max(seconds)))
    return f"{middle:.1f} ({low:.1f}–{high:.1f})"


def _voices(section: dict[str, Any]) -> str:
    rows = []
    for row in section["rows"]:
        last = sum(one[-1] for one in row["losses"]) / len(row["losses"])
        difference = row["difference"]
        known = difference is not None and row["name"] != "original"
        rows.append(
            [
                row["name"],
                f"{row['times_faster']:.2f}",
                f"{last:.3f}",
                f"{difference:.1f}" if known else "",
            ]
        )
    head = ["training", "times as fast", "last train loss", "difference of the curves"]
    return f"""\
## Against the original training of `voices`

LSTM 128-33-33 with recurrent dropout .35, batch 25, on simulated recordings in the study's full
features, 128 × 33. The original passes float64 arrays to `fit`, on TensorFlow. Ours is the training
of the workflow: deterministic, with its state saved after every epoch. Seconds per epoch are the
median of {section["epochs"]} epochs of {section["seeds"]} seeds. The last column is the root mean
square difference of the mean loss curves over epochs, in standard deviations between seeds; about 1
is expected by chance with so few seeds.

{_table(head, rows)}"""


def _grid(section: dict[str, Any]) -> str:
    row = [
        f"{section['epochs']}",
        f"{section['shortest_alone']:.0f} s",
        f"{section['alone_seconds']:.0f} s",
        f"{section['wall_seconds']:.0f} s",
        f"**{section['ratio']:.2f}**",
        _percent(section["share"]),
    ]
    head = ["epochs", "shortest fit alone", "all alone", "wall time", "ratio", "fits"]
    return f"""\
## The overhead of a grid search

{section["trials"]} trials of {section["network"]} at full shapes through Snakemake,
{section["at_once"]} at once, against the same trainings alone: one after another in a process that
has already loaded everything, each with {section["at_once"]} threads. The ratio is the wall time of
the grid over the time spent in epochs alone. The last column is the share of the cores' time in the
grid that was spent in epochs. The rest is planning, once, and for each trial a process that imports
the backend, builds the network, and predicts the training and validation sets at the end.

{_table(head, [row])}"""


def _memory(section: dict[str, Any]) -> str:
    rows = [
        [
            row["name"],
            f"{row['peak_gb']:.2f} GB",
            _percent(row["waiting"]),
            f"{row['prepare_seconds'] / row['seconds_per_step']:.0f} steps",
        ]
        for row in section["rows"]
    ]
    shape = " × ".join(f"{size:,}" for size in section["shape"])
    head = ["backend", "peak memory", "waiting, of a step", "mean and variance"]
    return f"""\
## Training from a large file

`examples.npy` of {section["bytes"] / 1e9:.1f} GB ({shape}, float32), four fifths of which are the
training set, fully shuffled; the CNN-LSTM of the study, batch 32, {section["rows"][0]["steps"]}
steps. Peak memory is that of the whole process. "Waiting" is the extra time of a step compared with
one whose batch is already in memory. Before the first step, a pass over the file computes the mean
and variance of the training set; the last column gives its duration in steps.

{_table(head, rows)}"""


def _sweep(section: dict[str, Any]) -> str:
    rows = [
        [
            row["name"],
            _percent(row["epochs_share"]),
            _percent(row["largest_share"]),
            f"{row['excess']:+.1%}",
            f"{row['within_2_percent']:.0%}",
        ]
        for row in section["rows"]
    ]
    head = ["stopping, min_epochs, factor", "epochs", "at most", "loss", "within 2%"]
    return f"""\
## Bayesian search against exhaustive search

{section["trials"]} trials in a space of {section["cells"]} CNNs on the simulated arrhythmia study,
{section["epochs"]} epochs each, in {section["sweeps"]} searches with different sampler seeds.
"Epochs" and "at most" are the median and the maximum number of epochs, as a share of those of
{section["trials"]} full trainings. "Loss" is the median excess of the best validation loss over
that of the best of all {section["cells"]} networks trained in full. The last column is the share of
searches that came within 2% of it.

{_table(head, rows)}"""


def _planning(section: dict[str, Any]) -> str:
    rows = [
        [
            f"{row['recordings']:,}",
            f"{row['feature_jobs']:,}",
            f"{row['jobs']:,}",
            *(f"{seconds:.1f} s" for seconds in row["cpu_seconds"]),
            f"{row['peak_mb'] / 1000:.2f} GB",
        ]
        for row in section["rows"]
    ]
    head = ["recordings", "feature jobs", "all jobs", "CPU time", "once more", "peak memory"]
    return f"""\
## Planning a run

`snakemake --dry-run` of a folder of recordings in two classes, before anything has been computed:
CPU time and peak memory of the whole process. The first time the header of every file is read, and
what the folder holds is described; that is kept until a file changes.

{_table(head, rows)}"""


def _devices(section: dict[str, Any]) -> str:
    rows = []
    for row in section["rows"]:
        shape = "×".join(map(str, row["shape"]))
        slowest = row["measured"][0]["seconds_per_epoch"]
        for one in row["measured"]:
            rows.append(
                [
                    f"{row['name']} ({shape}, batch {one['batch']})",
                    f"{one['device']}, {one['precision']}",
                    f"{one['seconds_per_epoch']:.3g}",
                    _percent(one["of_peak"]),
                    f"{slowest / one['seconds_per_epoch']:.2f}",
                ]
            )
    peaks = ", ".join(
        f"{name} {peak / 1e12:.3g} TFLOP/s" for name, peak in section["peaks"].items()
    )
    head = ["network", "on", "seconds per epoch", "of the peak", "times as fast as the CPU"]
    alone = (
        ""
        if section["accelerator"]
        else " **No accelerator was found: only the CPU was measured.**"
    )
    return f"""\
## The networks of the studies on an accelerator

Every architecture with the shapes of its study at full effort, the first trial of its grid, and
{section["backend"]}: seconds per epoch of {section["steps"]} batches, and operations per second in
its matrix products relative to a matrix product on the same device in the same precision at its
best size ({peaks}).{alone}

{_table(head, rows)}"""


def _seeds(section: dict[str, Any]) -> str:
    count = section["seeds"]
    ratio = [count * row["one"] / row["together"] for row in section["rows"]]
    rows = [
        [
            f"{row['name']} ({'×'.join(map(str, row['shape']))}, batch {row['batch']})",
            f"{1000 * row['one']:.2f}",
            f"{1000 * row['together']:.2f}",
            f"{fast:.2f}",
        ]
        for row, fast in zip(section["rows"], ratio, strict=True)
    ]
    head = ["network", "one seed (ms)", f"{count} seeds (ms)", "times as fast"]
    return f"""\
## Several seeds in one program

A step of gradient descent of {count} seeds in one program (`jax.vmap`) on one
{section["device"].upper()}, against {count} steps of one seed each; shapes as above, one thread.
It is faster for {sum(one > 1 for one in ratio)} of {len(ratio)} networks. Where it is not, seeds
gain nothing from one program: the workflow trains them one after the other in one process, which
compiles once, and other trainings at the same time on other cores.

{_table(head, rows)}"""


def _features(section: dict[str, Any]) -> str:
    alone = [
        [row["study"], row["kind"], f"{row['stage']:.2f} ms", f"{row['librosa']:.2f} ms",
         f"{row['librosa'] / row['stage']:.1f}"]
        for row in section["alone"]
    ]  # fmt: skip
    return f"""\
## Feature extraction on all cores

MFCC of {section["files"]:,} recordings ({section["format"]}) of {section["clip_seconds"]:g} s at
{section["rate"]:,} Hz, in {section["jobs"]} jobs on {section["at_once"]} cores:
{section["per_second"]:.0f} per second. They are {section["different"]:,} files, each read many
times. {section["at_once"]} plain librosa loops at once, one on each core, in processes that have
already imported everything, reach {section["loop_per_second"]:.0f} per second together. The stage
reaches **{section["ratio"]:.2f}** of that, including Snakemake and the start of
its jobs. That overhead is fixed, so a shorter stage reaches less. The stage does more than the
loop: a fingerprint of each recording, by which copies are found, a hash of its samples, its level
and what of it is saturated.

Features alone, of a recording in memory at the rate of the study, with one thread:

{_table(["study", "features", "the stage", "librosa", "times as fast"], alone)}"""


def _endurance(section: dict[str, Any]) -> str:
    rows = [
        [
            f"{row['run']:,}",
            f"{row['memory_mib']:,.0f} MiB",
            str(row["files"]),
            str(row["threads"]),
            f"{row['cpu_seconds']:.2f} s",
        ]
        for row in section["rows"]
    ]
    jobs = section["jobs"]
    head = ["after run", "memory", "open files", "threads", "CPU time of one run"]
    return f"""\
## Many trainings in one process

{section["runs"]:,} runs with {section["backend"]}: the smallest {", ".join(section["networks"])} in
turn, all with different learning rates, each with {section["seeds"]} seeds and all the output of a
final run. Memory is that of the process after garbage collection; CPU time is the median since the
previous row. In the second half, memory changes by **{section["slope_kib"]:+.1f} KiB per run**.

{_table(head, rows)}

As {jobs["count"]} jobs of one Snakemake run: {jobs["seconds"][0]:.1f} s and
{jobs["memory_mib"][0]:.0f} MiB in the first half, {jobs["seconds"][1]:.1f} s and
{jobs["memory_mib"][1]:.0f} MiB in the second (medians)."""


RENDERERS: dict[str, Callable[[dict[str, Any]], str]] = {
    "speed": _speed,
    "peers": _peers,
    "voices": _voices,
    "grid": _grid,
    "memory": _memory,
    "sweep": _sweep,
    "planning": _planning,
    "features": _features,
    "seeds": _seeds,
    "endurance": _endurance,
    "devices": _devices,
}
