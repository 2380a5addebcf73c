rule folder:
    output:
        manifest="resources/data/{dataset}.json",
    log:
        "logs/folder/{dataset}.log",
    wildcard_constraints:
        dataset="|".join(FOLDERS) or "none",
    conda:
        "../../environment.yml"
    threads: 4
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        folder=lambda wildcards: FOLDERS[wildcards.dataset]["folder"],
        asked=lambda wildcards: make(**FOLDERS[wildcards.dataset]["features"]).demands,
        # What Snakemake cannot know beforehand, since any file may be in the folder.
        listing=lambda wildcards: listing(FOLDERS[wildcards.dataset]["folder"]["path"]),
        reading=lambda wildcards: configuration.reading(FOLDERS[wildcards.dataset]),
        code=code_hash("lib.own.survey"),
    script:
        "../scripts/folder.py"
