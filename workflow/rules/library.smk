import sys

# The library of this checkout, whichever is installed. Beside a workflow that came with a wheel, or
# that Snakemake fetched file by file, there is none: then it is the one that is installed.
CHECKOUT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]
if (CHECKOUT / "lib" / "project.py").is_file():
    sys.path.insert(0, str(CHECKOUT))

try:
    import lib.project
    from lib.jobs.place import hand_down_library, hand_down_one_heap
except ImportError as error:
    raise WorkflowError(
        "heldout: expected the library of this workflow to be installed, got: "
        f"{error}. Install it beside Snakemake, in the version of the workflow: python -m pip "
        "install FOLDER, with a clone of the project; or run the Snakefile of the clone."
    )

hand_down_library(CHECKOUT)
hand_down_one_heap()
