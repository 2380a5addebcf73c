rule compare:
    input:
        runs=compared(SETTINGS),
        examples=expand(EXAMPLES["examples"], study=STUDIES),
        recordings=expand("results/{study}/recordings.csv", study=STUDIES),
        shortcuts=expand(SHORTCUTS, study=STUDIES),
        splits=each("protocol", SPLIT),
        audits=each("protocol", AUDIT),
        trials=each("architecture", TRIALS),
        best=each("architecture", BEST),
        claims=of_project("resources/claims.csv"),
    output:
        tables=[
            shown(f"results/tables/{table}.csv", "tables", table=table.replace("_", " "))
            for table in TABLES
        ],
    log:
        "logs/compare.log",
    benchmark:
        "logs/compare.tsv"
    conda:
        "../../environment.yml"
    resources:
        **doubling(mem_mb=4000, runtime=60),
    params:
        **uses("lib.compare", values=["seed", "resamples", "descriptions"]),
    script:
        "../scripts/compare.py"
