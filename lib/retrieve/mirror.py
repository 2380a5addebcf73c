"""The source `mirror`: a folder with copies in the published layout, complete or not."""

from __future__ import annotations

from pathlib import Path

from lib.errors import HeldoutError
from lib.files import symlink
from lib.retrieve.registry import Registry, fault_of
from lib.retrieve.state import Listing, Place, files_in, is_simulated, listing


def mirrored(place: Place, registry: Registry, *, mirror: str | Path | None) -> Listing:
    """Verify what a mirror has, and let the dataset's folder be a link to it: nothing is copied.

    Raises
    ------
    HeldoutError
        There is no mirror, it has nothing of the dataset, a file in it is not the published one,
        or a person's folder is in the place of the link.
    """
    root, paths = _contents(place, registry, mirror)
    rows = listing(root, paths, known=place.known(root))
    place.remember(root, rows)
    for file in registry.files:
        if file.path in rows and (fault := fault_of(file, rows[file.path])):
            raise HeldoutError(
                root / file.path,
                fault[0],
                f"{fault[1]} (checksums: {registry.checksum_source})",
                f"The copy is damaged or of another version than {registry.version}: replace it in "
                "the mirror, or go on without: exclude the recording (`recordings: {exclude: […]}` "
                "in the study), or delete the file there.",
            )
    symlink(place.folder, root.resolve())
    place.enter()
    return rows


def _contents(
    place: Place, registry: Registry, mirror: str | Path | None
) -> tuple[Path, list[str]]:
    """List what the mirror has of the dataset."""
    if mirror is None:
        raise HeldoutError(
            registry.dataset,
            "a folder with copies for `source: mirror`",
            "none",
            "Set `mirror` to it.",
        )
    root = Path(mirror) / registry.dataset
    if not root.is_dir():
        raise HeldoutError(
            root,
            f"a folder with {registry.title}",
            "a file" if root.exists() else "none",
            f"Put the copies there in the published layout ({registry.landing_page}), or set "
            "`mirror` to the folder that has them.",
        )
    if is_simulated(root):
        raise HeldoutError(
            root,
            "recordings",
            "simulated data",
            "Set `source: simulated`, or set `mirror` to a folder with recordings.",
        )
    own = root.resolve().is_relative_to(place.hidden.resolve())
    if own or (place.by_hand and root.samefile(place.link)):
        raise HeldoutError(
            root,
            "a mirror elsewhere",
            "the dataset's own folder",
            "Set `source: download` to use what lies there.",
        )
    place.require_link("a link to the mirror")
    paths = [path for path in files_in(root, follow=False) if not registry.excluded(path)]
    if not any(map(registry.usable, paths)):
        example = next((file.path for file in registry.files), registry.adopt)
        example = example or registry.archives[0].holds
        raise HeldoutError(
            root,
            f"files of {registry.title} (such as {example})",
            f"{len(paths)} other files",
            "Put the copies there in the published layout.",
        )
    return root, paths
