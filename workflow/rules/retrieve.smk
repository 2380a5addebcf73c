rule retrieve:
    input:
        registry=path_of("resources/registry/{dataset}.yaml"),
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
        ),
    script:
        "../scripts/retrieve.py"
