def compared(wildcards):
    """Every run of every study, baselines too."""
    networks = [folder for name in STUDIES for folder in network_runs(name)]
    baselines = [folder for name in STUDIES for folder in baseline_runs(name)]
    return [f"{run}/{name}" for run in networks for name in RUN_FILES[1:]] + [
        f"{run}/{name}" for run in baselines for name in ("run.json", "predictions.parquet")
    ]


rule compare:
    input:
        runs=compared,
        examples=expand("results/{study}/examples.parquet", study=STUDIES),
        splits=per_protocol("results/{study}/{protocol}/split.parquet"),
        audits=per_protocol("results/{study}/{protocol}/audit.json"),
        trials=per_architecture("results/{study}/search/{architecture}/trials.csv"),
        claims="resources/claims.csv",
    output:
        tables=report(
            expand("results/tables/{table}.csv", table=TABLES),
            caption="../report/tables.rst",
            category="Tables",
        ),
    log:
        "logs/compare.log",
    benchmark:
        "results/benchmarks/compare/all.tsv"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        studies=[configuration.description(value, SETTINGS) for value in STUDIES.values()],
        seed=SETTINGS["seed"],
        resamples=SETTINGS["resamples"],
        code=code_hash("lib.compare"),
    script:
        "../scripts/compare.py"
