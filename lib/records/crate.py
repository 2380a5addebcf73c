"""The results of a run as a Workflow Run RO-Crate: the workflow, what it read, what it made.

Profile: https://w3id.org/ro/wfrun/workflow/0.5 (Leo et al. 2024, PLOS ONE 19(9):e0309210).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib import __version__
from lib.files import sha256, write_json
from lib.records.croissant import format_of

if TYPE_CHECKING:
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

PROFILES: Mapping[str, tuple[str, str]] = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}


def write_crate(
    path: str | Path,
    *,
    studies: Sequence[Mapping[str, Any]],
    manifests: Sequence[Mapping[str, Any]],
    provenance: Mapping[str, Any],
    times: tuple[datetime, datetime],
) -> Path:
    """Describe the folder of results.

    Parameters
    ----------
    path : path
        `ro-crate-metadata.json`, in the folder of results, which has `Snakefile`, `report.html`,
        `provenance.json`, `tables` and a Croissant file of each dataset by now.
    studies : sequence of mapping
        As `lib.report.render` takes them.
    manifests : sequence of mapping
        Of the datasets.
    provenance : mapping
        What `provenance.json` has: `commit`, `versions`.
    times : tuple of datetime
        When the first job began and the last one ended.

    Returns
    -------
    Path
        `path`.
    """
    from rocrate.rocrate import ROCrate

    folder = Path(path).parent
    crate = ROCrate(version="1.1")
    began, ended = (time.isoformat(timespec="seconds") for time in times)
    titles = ", ".join(str(study["title"]) for study in studies)
    crate.name = f"Comparison of networks: {titles}"
    crate.description = (
        "Networks compared on groups (patients, subjects, speakers) that they were not trained on, "
        "and under a random split: tables, pictures and one page."
    )
    crate.datePublished = times[1]
    crate.license = _about(
        crate,
        "#licence",
        "CreativeWork",
        "Not stated yet",
        "Whoever publishes these results states their licence here.",
    )
    workflow = crate.add_workflow(
        folder / "Snakefile",
        "Snakefile",
        main=True,
        lang="snakemake",
        lang_version=str(provenance.get("versions", {}).get("snakemake", "")) or None,
        properties={
            "name": "Heldout",
            "version": __version__,
            "encodingFormat": "text/plain",
            "description": "The rules and the library are those of Heldout "
            f"{__version__}, {provenance.get('commit', 'unknown')}.",
            "license": "https://spdx.org/licenses/MIT",
        },
    )
    # Each profile is a CreativeWork of its own.
    crate.root_dataset["conformsTo"] = [
        _about(crate, address, "CreativeWork", name, version=version)
        for address, (name, version) in PROFILES.items()
    ]
    objects = [
        _file(crate, folder, "provenance.json", "Configuration, versions, computer, durations"),
        *(_dataset(crate, folder, manifest) for manifest in manifests),
    ]
    made = [
        _file(crate, folder, "report.html", "The page that answers each study"),
        *(
            _file(crate, folder, f"tables/{file.name}", f"Table {file.stem}")
            for file in sorted((folder / "tables").glob("*.csv"))
        ),
        *_folders(crate, folder, studies),
    ]
    crate.root_dataset["mentions"] = crate.add_action(
        workflow,
        "#run",
        object=objects,
        result=made,
        properties={
            "name": "Run of Heldout",
            "description": "From the recordings to tables and page. It begins with the first of "
            "the jobs that these results are from, and ends with the last.",
            "startTime": began,
            "endTime": ended,
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
    )
    write_json(path, crate.metadata.generate())
    return Path(path)


def _about(
    crate: ROCrate, name: str, kind: str, title: str, description: str = "", **more: Any
) -> ContextEntity:
    from rocrate.model.contextentity import ContextEntity

    said = {"@type": kind, "name": title, **more}
    if description:
        said["description"] = description
    return crate.add(ContextEntity(crate, name, properties=said))


def _file(crate: ROCrate, folder: Path, name: str, title: str, **more: Any) -> Any:
    """Add a file of the folder: nothing is copied, since it lies where it belongs."""
    file = folder / name
    return crate.add_file(
        file,
        name,
        properties={
            "name": title,
            "encodingFormat": format_of(name),
            "contentSize": str(file.stat().st_size),
            "sha256": sha256(file),
            **more,
        },
    )


def _folders(crate: ROCrate, folder: Path, studies: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Add the folders that a run makes, each as one entity: they hold thousands of files."""
    named = {
        "plots": "Pictures",
        "checklists": "Checklists that journals ask for",
        **{
            str(study["study"]): f"Study {study['title']}: examples, splits, audits, trials, runs"
            for study in studies
        },
    }
    return [
        crate.add_dataset(folder / name, name, properties={"name": title})
        for name, title in named.items()
        if (folder / name).is_dir()
    ]


def _dataset(crate: ROCrate, folder: Path, manifest: Mapping[str, Any]) -> Any:
    """Add a dataset that was read, with its Croissant file beside the results."""
    name, simulated = str(manifest["dataset"]), bool(manifest["simulated"])
    croissant = _file(
        crate,
        folder,
        f"croissant/{name}.json",
        f"Croissant of {name}",
        encodingFormat="application/ld+json",
        conformsTo={"@id": "http://mlcommons.org/croissant/1.0"},
    )
    address = manifest.get("landing_page")
    title = str(manifest.get("title") or name)
    return _about(
        crate,
        f"#{name}",
        "Dataset",
        f"{title}, simulated" if simulated else title,
        # What was simulated is not what is published there.
        **({"url": address} if address and not simulated else {}),
        version=manifest["version"],
        license=manifest["licence"],
        subjectOf=croissant,
    )
