rule train:
    input:
        **TO_TRAIN,
        split=SPLIT,
        audit=AUDIT,
        best=of("best"),
    output:
        **RESULTS,
    log:
        "logs/train/{study}-{protocol}-{architecture}-{fold}.log",
    benchmark:
        "logs/train/{study}-{protocol}-{architecture}-{fold}.tsv"
    conda:
        "../../environment.yml"
    threads: SETTINGS["threads"]
    resources:
        **trainings(len(SETTINGS["seeds"])),
    params:
        **TRAINING,
        seeds=SETTINGS["seeds"],
        inputs=of("inputs"),
        inputs_code=code_hash("lib.predict.inputs", without=["lib.features", "lib.datasets"]),
    script:
        "../scripts/train.py"


rule baselines:
    input:
        **EXAMPLES,
        split=SPLIT,
        audit=AUDIT,
        manifest=of("manifest"),
    output:
        runs=expand(
            f"{RUN}/{{name}}",
            architecture=SETTINGS["baselines"],
            seed=0,
            name=["run.json", "predictions.parquet"],
            allow_missing=True,
        ),
    log:
        "logs/baselines/{study}-{protocol}-{fold}.log",
    benchmark:
        "logs/baselines/{study}-{protocol}-{fold}.tsv"
    priority: -1  # only tables and page wait for it: it fills what trainings leave
    conda:
        "../../environment.yml"
    resources:
        **doubling(mem_mb=4000, runtime=60),
    params:
        **uses("lib.train.baselines", values=["baselines", "seed", "refit", *OF_RUN]),
    script:
        "../scripts/baselines.py"
