rule retrieve:
    input:
        registry="resources/registry/{dataset}.yaml",
    output:
        manifest="resources/data/{dataset}.json",
    log:
        "logs/retrieve/{dataset}.log",
    wildcard_constraints:
        dataset="|".join(sorted(set(DATASETS) - set(FOLDERS))) or "none",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=2000,
        runtime=240,
    params:
        source=lambda wildcards: configuration.source_of(wildcards.dataset, SETTINGS),
        mirror=lambda wildcards: (
            SETTINGS["mirror"]
            if configuration.source_of(wildcards.dataset, SETTINGS) == "mirror"
            else None
        ),
        simulation=lambda wildcards: (
            dict(
                SETTINGS["simulation"],
                code=code_hash("lib.simulate", chosen={"lib.simulate": wildcards.dataset}),
            )
            if configuration.source_of(wildcards.dataset, SETTINGS) == "simulated"
            else None
        ),
        code=code_hash("lib.retrieve", without=("lib.simulate",)),
    script:
        "../scripts/retrieve.py"
