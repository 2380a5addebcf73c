from lib.datasets.folder import PREFIX

# All but folders of one's own: see folder.smk.
PUBLISHED = [dataset for dataset in DATASETS if not dataset.startswith(PREFIX)]


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
        dataset="|".join(PUBLISHED) or "none",
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
