from lib.project import path_of

# Where a run has one, jobs share no folder: what one hands on to another has to be declared.
DEFAULT_STORAGE = workflow.storage_settings.default_storage_provider is not None
# An output that is a folder is an archive there: Snakemake's plugin for S3 takes a folder that a pod
# made for missing.
PACKED = ".zip" if DEFAULT_STORAGE else ""
folder = str if DEFAULT_STORAGE else directory


def of_project(name):
    """A file of the project as an input. With a default storage it is none: Snakemake would look for
    it in the store, and jobs have it with the sources."""
    return [] if DEFAULT_STORAGE else path_of(name)


def copies(wildcards):
    """What a mirror in a store holds of a dataset: a plugin of Snakemake copies it."""
    return [getattr(storage, PLUGIN)(address) for address in STORED.get(wildcards.dataset, [])]
