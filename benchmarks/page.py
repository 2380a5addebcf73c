"""The page `docs/benchmarks.md`, made from the measurements alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

HEAD = """\
# Benchmarks

Made by `python -m benchmarks` (or `make benchmark`), which writes `benchmarks.json` beside it too;
do not edit. `python -m benchmarks --help` says how to repeat a part. Figures are ratios of what was
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
        note = f" {section['note']}" if section["note"] else ""
        machine = _machine(section["machine"], section["seconds"])
        parts.append(f"{text}\n\n{machine}{note}{sizes}\n")
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
    every = list(dict.fromkeys(mode for row in section["rows"] for mode in row["modes"]))
    for row in section["rows"]:
        modes = row["modes"]
        best = min(modes, key=lambda mode: modes[mode]["seconds_per_step"])
        shape = "×".join(map(str, row["shape"]))
        batch = modes[best]["batch"]
        cells = [_percent(modes[mode]["of_peak"]) if mode in modes else "–" for mode in every]
        rows.append([f"{row['name']} ({shape}, batch {batch})", *cells, best])
        for mode in dict.fromkeys(["tensorflow plain", best]):
            one = modes[mode]
            products, data = one["products_share"], one["data_share"]
            other = max(0.0, 1 - products - data)
            cells = [_percent(part) for part in (one["of_peak"], products, data, other)]
            rest.append([row["name"], mode, *cells, f"{one['first_seconds']:.1f} s"])
    return f"""\
## How much of the machine a training step uses

Operations of the matrix products of a step (formulas in `benchmarks/products.py`) a second, over
the float32 matrix product of the same machine at its best size, which is measured before each
network; the fastest counts. Every architecture at the shapes of its study's full effort, with the
first trial of its grid, {section["trainings"]} trainings at once with one thread each, as the
workflow trains by default; what they achieve is added up.

{_table(["network", *every, "fastest"], rows)}

A dash: TensorFlow's XLA has no deterministic gradient of max pooling.

Where the time of a step goes: into its matrix products as fast as the machine does them alone, one
by one and at these sizes (small ones do not reach the peak); into making the batch, as long as that
is not done meanwhile; and into all else: activations and gates, normalisation, pooling, dropout,
the
optimizer, and starting each of the many small operations of a recurrent step. The last column is
what tracing and compiling take before the first step.

{_table(["network", "mode", "of the peak", "products", "data", "all else", "to begin"], rest)}"""


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
features, 128 × 33. The original feeds float64 arrays to `fit` and leaves compiling to Keras, which
takes no XLA on a CPU; ours is the training of the workflow, deterministic and with its state on
disk after every epoch. Seconds an epoch: the median of {section["epochs"]} epochs of
{section["seeds"]} seeds. The difference of two mean loss curves, root mean square over epochs, is
in standard deviations between seeds of one training: about 1 is what chance makes of so few seeds.

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
## What a grid costs beside its trainings

{section["trials"]} trials of {section["network"]} at the full shapes through Snakemake,
{section["at_once"]} at once, against the same fits alone: one after the other in one process that
has loaded all it needs, each on {section["at_once"]} threads. The ratio is the wall time over the
sum of the seconds in epochs alone. The last column says how much of the cores' time in the grid was
in epochs. What is beside them: planning, once; and for each trial a process that imports
TensorFlow, builds the network, and predicts both parts at the end.

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

`examples.npy` of {section["bytes"] / 1e9:.1f} GB ({shape}, float32), four fifths of it the train
part,
shuffled as a whole; the study's CNN-LSTM, batch 32, {section["rows"][0]["steps"]} steps. Peak
memory is that of
the whole process. Waiting is what a step takes longer than with a batch that is there already.
Before the first step the mean and variance of the train part are computed, in a pass over the file
that takes as long as so many steps.

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
    head = ["stopping, min_epochs, factor", "epochs", "at most", "loss", "within 2 %"]
    return f"""\
## A Bayesian sweep against the exhaustive search

{section["trials"]} trials in a space of {section["cells"]} CNNs on the simulated arrhythmia study,
{section["epochs"]} epochs each, by {section["sweeps"]} sweeps with different seeds of the sampler.
Epochs: the median
and the largest share of those of {section["trials"]} full trainings. Loss: how much the best
validation
loss lies above that of the best of all {section["cells"]} cells, each trained to the end, in the
median;
and how many sweeps came within 2 % of it.

{_table(head, rows)}"""


def _planning(section: dict[str, Any]) -> str:
    rows = [
        [
            f"{row['recordings']:,}",
            f"{row['feature_jobs']:,}",
            f"{row['jobs']:,}",
            f"{row['cpu_seconds']:.1f} s",
            f"{row['peak_mb'] / 1000:.2f} GB",
        ]
        for row in section["rows"]
    ]
    head = ["recordings", "feature jobs", "all jobs", "CPU time", "peak memory"]
    return f"""\
## Planning a run

`snakemake --dry-run` of a folder of so many recordings in two classes, of which nothing has been
computed; CPU time and peak memory of the whole process.

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
    head = ["network", "on", "seconds an epoch", "of the peak", "times as fast as the CPU"]
    alone = (
        ""
        if section["accelerator"]
        else " **No accelerator was found: only the CPU was measured.**"
    )
    return f"""\
## The studies' networks on an accelerator

Every architecture at the shapes of its study's full effort, with the first trial of its grid and
{section["backend"]}, an epoch of {section["steps"]} batches: seconds, and the operations of its
matrix products a second over the matrix product of the same device in the same precision at its
best size ({peaks}).{alone}

{_table(head, rows)}"""


def _features(section: dict[str, Any]) -> str:
    return f"""\
## The cores at work on features

{section["files"]:,} recordings ({section["format"]}) of {section["clip_seconds"]:g} s at
{section["rate"]:,} Hz, MFCC, in {section["jobs"]} jobs on {section["at_once"]} cores:
{section["per_second"]:.0f} a second. They are {section["different"]:,} files, each read many times.
A loop of librosa over these, on one core and in a process that has imported all it needs, makes
{section["loop_per_second"]:.0f} a second. The stage reaches **{section["ratio"]:.2f}** of
{section["at_once"]} such loops, Snakemake and the starts of its jobs included: those take as long
however short the stage is, and so a shorter one reaches less."""


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

{section["runs"]:,} runs: the smallest {", ".join(section["networks"])} in turn, no two with the
same learning rate, each with {section["seeds"]} seeds and all that a final run writes. Memory is
that of the process after garbage was collected; the time of a run is the median since the row
before. In the second half memory grows by **{section["slope_kib"]:.1f} KiB a run**.

{_table(head, rows)}

As jobs of one Snakemake, {jobs["count"]} of them: {jobs["seconds"][0]:.1f} s and
{jobs["memory_mib"][0]:.0f} MiB in the first half, {jobs["seconds"][1]:.1f} s and
{jobs["memory_mib"][1]:.0f} MiB in the second (medians)."""


RENDERERS: dict[str, Callable[[dict[str, Any]], str]] = {
    "speed": _speed,
    "voices": _voices,
    "grid": _grid,
    "memory": _memory,
    "sweep": _sweep,
    "planning": _planning,
    "features": _features,
    "endurance": _endurance,
    "devices": _devices,
}
