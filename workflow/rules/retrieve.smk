from lib.datasets.registry import get_dataset


def code_of_layout(wildcards):
    """What names the files of a corpus that is published as archives: other readers concern none."""
    layout = get_dataset(wildcards.dataset).layout
    return code_hash(layout.__module__) if layout else ""


rule retrieve:
    input:
        registry="resources/registry/{dataset}.yaml",
    output:
        # A dash is in the names of own folders alone: see folder.smk.
        manifest="resources/data/{dataset,[a-z][a-z0-9_]*}.json",
    log:
        "logs/retrieve/{dataset}.log",
    benchmark:
        "logs/retrieve/{dataset}.tsv"
    conda:
        "../../environment.yml"
    resources:
        **doubling(mem_mb=2000, runtime=240),
    params:
        **uses(
            "lib.retrieve",
            without=["lib.simulate.simulator", "lib.datasets.registry"],
            values=["retrieval"],
            layout=code_of_layout,
        ),
    script:
        "../scripts/retrieve.py"
