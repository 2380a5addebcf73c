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
        mirror=mirror_of,
        # A mirror is linked to: what changed in it is verified again.
        listing=lambda wildcards: mirror_of(wildcards)
        and listing(f"{mirror_of(wildcards)}/{wildcards.dataset}"),
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
