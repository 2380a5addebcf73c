"""The configuration: its settings and studies, joined and checked, all of it at once."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from lib.config.own import as_meant, require_apart, stated_of_folder
from lib.config.protocols import settle_protocols
from lib.config.schema import typed, validate
from lib.config.studies import find_studies, require_known
from lib.datasets.folder import PREFIX
from lib.datasets.registry import get_dataset
from lib.errors import HeldoutError, suggestion
from lib.examples.context import require_context_names
from lib.features.kinds import Kind
from lib.features.registry import KINDS, make
from lib.files import read_yaml, require_plain
from lib.networks.backend import choose_backend
from lib.networks.devices import scaled
from lib.networks.hyperparameters import complete, require_channels
from lib.own.kept import kept_text
from lib.project import ROOT
from lib.recordings.table import class_of
from lib.retrieve.registry import parse_registry
from lib.search.folds import check_choice
from lib.search.spaces import check_space, extremes, grid_trials, random_trials
from lib.train.baselines import check_baseline
from lib.train.training import Training

# What a study says under `efforts`; and what an original project did, in a file of its own.
OF_STUDIES = ("demo", "quick", "full")
# The study and the dataset of a folder that `folder` names.
FOLDER = "folder"
# Where its text is kept.
KEPT = Path("resources", "data", ".folder-folder", "study.json")
SEARCH_DEFAULTS = {
    "method": "grid",
    "trials": 40,
    "workers": 1,
    "stopping": "halving",
    "min_epochs": 1,
    "factor": 3,
    "choose": "validation",
    "folds": 3,
}


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one mapping over another: mappings are joined key by key, anything else is replaced."""
    joined = dict(deepcopy(dict(base)))
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(joined.get(key), Mapping):
            joined[key] = merge(joined[key], value)
        else:
            joined[key] = deepcopy(value)
    return joined


def resolve(
    config: Mapping[str, Any], *, root: Path = ROOT, here: Path | None = None
) -> dict[str, Any]:
    """Check the whole configuration and join each study with its effort and overrides.

    Parameters
    ----------
    config : mapping
        What `config/config.yaml`, `--configfile` and `--config` make together. A key that it lacks
        is as in `config/config.yaml` of `root`.
    root : Path
        The folder that holds `config/` and `workflow/schemas/`.
    here : Path, optional
        The working directory: a study of its `config/studies` is taken before one of `root`, and
        that of a person's own folder is kept there, so that its headers are not read anew while
        nothing has changed (`lib.own.kept`).

    Returns
    -------
    dict
        The configuration, with `studies` a dict from name to the complete study: its own keys,
        `name`, `source`, `simulated`, and `trials` (architecture to trial id to hyperparameters,
        or to None where the search is Bayesian).

    Raises
    ------
    HeldoutError
        Anything unknown, of a wrong type or contradictory. Nothing has run yet.
    """
    require_plain(config, "the configuration")
    schemas = root / "workflow" / "schemas"
    settings = merge(read_yaml(root / "config" / "config.yaml"), config)
    # On the command line one of them is typed as a word, not as a list.
    for key in ("studies", "baselines"):
        if isinstance(settings.get(key), str):
            settings[key] = settings[key].split(",")
    if isinstance(settings.get("seeds"), int):
        settings["seeds"] = [settings["seeds"]]
    schema = read_yaml(schemas / "config.schema.yaml")
    # Settings of studies are left as they came: each study's own schema reads them below.
    own = settings.get("settings")
    settings = typed({**settings, "settings": None}, schema) | {"settings": own}
    validate(settings, schema, "the configuration")
    for name in settings["baselines"]:
        check_baseline(name)
    if settings.get("folder"):
        settings["studies"] = [FOLDER]
    names = settings["studies"]
    files = find_studies(root, here)
    others = [FOLDER] if settings.get("folder") else []
    require_known([*names, *settings["settings"]], files, others=others)
    study_schema = read_yaml(schemas / "study.schema.yaml")
    settings["studies"] = {
        name: _study(name, settings, study_schema, path=files.get(name), root=root, here=here)
        for name in names
    }
    for study in settings["studies"].values():
        _check_exclusions(study, root)
        _check_trainings(study, settings)
    return settings


def compute(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return how networks are trained, as `lib.train.recipe.Recipe` takes it."""
    keys = ("backend", "device", "devices", "scaling", "precision")
    return {key: settings[key] for key in keys}


def _check_exclusions(study: Mapping[str, Any], root: Path) -> None:
    """Find recordings to leave out that the publisher has not: they would silently stay in."""
    registry = root / "resources" / "registry" / f"{study['dataset']}.yaml"
    if study["simulated"] or not registry.exists():
        return
    known = parse_registry(read_yaml(registry), where=str(registry)).recordings
    unknown = sorted(set(study["recordings"]["exclude"]) - set(known))
    if known and unknown:
        raise HeldoutError(
            f"study {study['name']}, recordings.exclude",
            f"recordings of {study['dataset']}",
            ", ".join(map(repr, unknown)),
            suggestion(unknown[0], known),
        )


def _check_trainings(study: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Find backends that cannot use the devices, and batches that the devices do not divide."""
    devices = settings["devices"]
    for architecture, trials in study["trials"].items():
        search = study["architectures"][architecture]
        listed = extremes(architecture, search) if trials is None else trials.values()
        try:
            choose_backend(settings["backend"], device=settings["device"], devices=devices)
            for values in listed if isinstance(devices, int) else ():
                scaled(complete(architecture, values), settings["scaling"], devices)
        except HeldoutError as error:
            raise error.within(f"study {study['name']}, {architecture}") from error


def _study(
    name: str,
    settings: Mapping[str, Any],
    schema: Mapping[str, Any],
    *,
    path: Path | None,
    root: Path,
    here: Path | None,
) -> dict[str, Any]:
    """Read one study, lay effort and overrides over it, check it."""
    path = path or root / "config" / "studies" / f"{name}.yaml"
    if name == FOLDER and settings.get("folder"):
        own = as_meant({"path": settings["folder"]})["path"]
        require_apart(own, root)
        stated = stated_of_folder(settings["settings"].get(name), schema)
        study = yaml.safe_load(kept_text(own, file=None if here is None else here / KEPT, **stated))
    else:
        study = read_yaml(path)
    if not isinstance(study, dict):
        raise HeldoutError(path, "a mapping of keys", type(study).__name__)
    efforts = study.pop("efforts", {})
    original = path.parents[1] / "originals" / path.name
    if not isinstance(efforts, dict):
        raise HeldoutError(f"{path}: efforts", "a mapping", reprlib.repr(efforts), "Correct it.")
    for effort, keys in efforts.items():
        if effort not in OF_STUDIES:
            raise HeldoutError(
                f"{path}: efforts: unknown effort {effort!r}",
                advice=suggestion(effort, list(OF_STUDIES)),
            )
        if not isinstance(keys, dict):
            raise HeldoutError(
                f"{path}: efforts.{effort}",
                "a mapping of the keys that differ",
                reprlib.repr(keys),
                "Correct it.",
            )

    if settings["effort"] == "original" and not original.exists():
        raise HeldoutError(
            f"study {name}: it repeats no original project",
            f"one of {', '.join(OF_STUDIES)}",
            "effort: original",
            "Choose another effort.",
        )
    # What an original project did replaces what the study does, instead of being joined with it.
    variants = {effort: (study, efforts.get(effort, {})) for effort in OF_STUDIES}
    if original.exists():
        variants["original"] = ({**study, **read_yaml(original)}, {})

    def laid(effort: str, *over: Mapping[str, Any], where: str) -> dict[str, Any]:
        whole = typed(_join(*variants[effort], *over, where=where), schema)
        validate(whole, schema, where)
        return dict(whole)

    file = f"config/studies/{name}.yaml"
    chosen = laid(
        settings["effort"],
        settings["settings"].get(name, {}),
        where=f"study {name} ({file}, or settings.{name})",
    )
    # Whoever chooses another effort some day should not be the first to learn of a mistake in it.
    # `settings` are for the one that is chosen: another may lack what they leave out.
    for effort in [one for one in variants if one != settings["effort"] and one in efforts]:
        laid(effort, where=f"study {name} with effort {effort} ({file})")
    if "original" in variants:
        validate(variants["original"][0], schema, f"config/originals/{name}.yaml")
    study = chosen
    study["name"] = name
    for part in ("folder", "recordings"):
        if part in study:
            study[part] = as_meant(study[part])
    if ("folder" in study) != (study["dataset"] == FOLDER):
        raise HeldoutError(
            f"study {name}: `folder` belongs to `dataset: folder`, which needs it",
            got=f"the dataset {study['dataset']}",
            advice="Add or remove one of the two.",
        )
    if study["dataset"] == FOLDER:
        require_apart(study["folder"]["path"], root)
        # Two folders are two datasets.
        study["dataset"] = PREFIX + name
    study["source"] = source_of(study["dataset"], settings)
    study["simulated"] = study["source"] == "simulated"
    study.setdefault("scored", list(study["classes"]))
    study.setdefault("permutations", 0)
    study["shards"] = settings["shards"]
    for search in study["architectures"].values():
        search["training"] = {**study["training"], **search.get("training", {})}
    try:
        _check_study(study)
        _, channels = make(**study["features"]).shape
        study["trials"] = {
            architecture: _trials(architecture, search, settings["seeds"][0], channels=channels)
            for architecture, search in study["architectures"].items()
        }
    except HeldoutError as error:
        raise error.within(f"study {name}") from error
    return study


def _join(study: Mapping[str, Any], *layers: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Lay keys over a study. Null leaves an architecture or protocol out; later keys restore it."""
    whole = dict(study)
    gone: set[tuple[str, str]] = set()
    for layer in layers:
        kept = dict(layer)
        for key in ("architectures", "protocols"):
            if isinstance(layer.get(key), Mapping):
                # On Snakemake's command line null arrives as text.
                named = {one: None if rule == "null" else rule for one, rule in layer[key].items()}
                gone -= {(key, one) for one in named}
                gone |= {(key, one) for one, rule in named.items() if rule is None}
                kept[key] = {one: rule for one, rule in named.items() if rule is not None}
        whole = merge(whole, kept)
    for key, one in gone:
        if one not in whole[key]:
            raise HeldoutError(
                f"{where}: {key}: {one}: null leaves out what the study has",
                advice=suggestion(one, list(whole[key])),
            )
        del whole[key][one]
    return whole


def _check_features(study: Mapping[str, Any]) -> None:
    """Find wrong settings of features, and those that do not go with what a folder holds."""
    features = {str(name): value for name, value in study["features"].items()}
    kind, beats = KINDS.get(features["kind"]), study.get("folder", {}).get("beats")
    if "folder" in study and kind and (beats is not None) != kind.of_beats:
        raise HeldoutError(
            "folder.beats",
            "codes or recordings where the features are beats, and null where they are not",
            f"{beats or 'null'} and {kind.name}",
            "Correct one of the two, or have the study written with `new-study --beats`.",
        )
    made = make(**features)
    require_context_names(study.get("folder", {}).get("context", []), of_features=made.context)
    _check_augmentation(study, made)


def _check_augmentation(study: Mapping[str, Any], kind: Kind) -> None:
    """Find an augmentation that does not fit the features; an amount of 0 does nothing to them."""
    fitting, (time, channels) = kind.augmentations, kind.shape
    trainings = [study, *study["architectures"].values()]
    amounts = [one["training"].get("augmentation", {}) for one in trainings]
    for name, amount in (pair for each in amounts for pair in each.items()):
        if amount and name not in fitting:
            raise HeldoutError(
                f"training.augmentation.{name}",
                f"an augmentation that fits the features {kind.name} of {time} × {channels}: "
                f"{', '.join(fitting)}",
                name,
                "Remove it.",
            )


def _trials(
    architecture: str, search: dict[str, Any], seed: int, *, channels: int
) -> dict[str, dict[str, Any]] | None:
    """List the trials of a search; a Bayesian one knows them only when it has run: None."""
    for key, value in SEARCH_DEFAULTS.items():
        search.setdefault(key, value)
    check_choice(architecture, search)
    fixed, space, method = search["fixed"], search["space"], search["method"]
    check_space(architecture, fixed, space, method=method)
    trials = None
    if method == "grid":
        trials = grid_trials(architecture, fixed, space)
    elif method == "random":
        trials = random_trials(architecture, fixed, space, trials=search["trials"], seed=seed)
    for given in [fixed] if trials is None else trials.values():
        require_channels(architecture, given, channels=channels)
    return trials


def _check_study(study: Mapping[str, Any]) -> None:
    """Find what a schema cannot: contradictions between keys."""
    classes = list(study["classes"])
    get_dataset(study["dataset"])
    class_of(study["classes"])
    _check_features(study)
    for name, search in study["architectures"].items():
        try:
            Training(**search["training"])
        except HeldoutError as error:
            raise error.within(name) from error
    for label in study["scored"]:
        if label not in classes:
            raise HeldoutError(
                "scored", "one of its classes", repr(label), suggestion(label, classes)
            )
    settle_protocols(study)


def source_of(dataset: str, settings: Mapping[str, Any]) -> str:
    """Name where a dataset comes from: its own source, or the mirror if one is named.

    Raises
    ------
    HeldoutError
        It is to come from a mirror, and none is named.
    """
    if dataset.startswith(PREFIX):
        return FOLDER
    general = "mirror" if settings["mirror"] else settings["source"]
    source = settings["sources"].get(dataset, general)
    if source == "mirror" and not settings["mirror"]:
        raise HeldoutError(
            f"dataset {dataset}: its source is a mirror, and none is named",
            advice=f"Add --config mirror=FOLDER, where FOLDER/{dataset}/ holds its files.",
        )
    return str(source)
