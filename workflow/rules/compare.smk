rule compare:
    input:
        runs=compared,
        examples=expand("results/{study}/examples.parquet", study=STUDIES),
        splits=per_protocol("results/{study}/{protocol}/split.parquet"),
        audits=per_protocol("results/{study}/{protocol}/audit.json"),
        trials=per_architecture("results/{study}/search/{architecture}/trials.csv"),
        claims="resources/claims.csv",
    output:
        tables=[
            report(
                f"results/tables/{table}.csv",
                caption="../report/tables.rst",
                category="Tables",
                labels={"table": table.replace("_", " ")},
            )
            for table in TABLES
        ],
    log:
        "logs/compare.log",
    conda:
        "../../environment.yml"
    resources:
        **needs(
            lambda wildcards, input, attempt: resources.of_comparison(
                [path for path in input.runs if path.endswith(".parquet")],
                resamples=SETTINGS["resamples"],
                attempt=attempt,
            )
        ),
    params:
        studies=[configuration.description(value, SETTINGS) for value in STUDIES.values()],
        seed=SETTINGS["seed"],
        resamples=SETTINGS["resamples"],
        code=code_hash("lib.compare"),
    script:
        "../scripts/compare.py"
