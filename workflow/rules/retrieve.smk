rule retrieve:
    input:
        registry=of_project("resources/registry/{dataset}.yaml"),
        copies=copies,
    output:
        manifest="resources/data/{dataset}.json",
    log:
        "logs/retrieve/{dataset}.log",
    benchmark:
        "logs/retrieve/{dataset}.tsv"
    wildcard_constraints:
        # A dash is in the names of own folders alone: see folder.smk.
        dataset="|".join(name for name in DATASETS if "-" not in name) or "none",
    conda:
        "../../environment.yml"
    resources:
        **doubling(mem_mb=2000, runtime=240),
    params:
        **uses(
            "lib.retrieve",
            without=["lib.simulate.simulator", "lib.datasets.registry"],
            values=["retrieval"],
        ),
    script:
        "../scripts/retrieve.py"
