rule train:
    input:
        npy="results/{study}/examples.npy",
        examples="results/{study}/examples.parquet",
        digest="results/{study}/examples.json",
        split="results/{study}/{protocol}/split.parquet",
        audit="results/{study}/{protocol}/audit.json",
        best="results/{study}/search/{architecture}/best.json",
    output:
        # Seeds of a fold share one process: importing TensorFlow takes seconds.
        **{
            name.replace(".", "_"): expand(
                f"{RUN}/{name}", seed=SETTINGS["seeds"], allow_missing=True
            )
            for name in RUN_FILES
        },
    log:
        "logs/train/{study}-{protocol}-{architecture}-{fold}.log",
    wildcard_constraints:
        architecture="|".join(sorted({a for s in STUDIES.values() for a in s["architectures"]})),
    conda:
        "../../environment.yml"
    threads: SETTINGS["threads"]
    resources:
        **needs(
            lambda wildcards, input, attempt: training_need(
                wildcards, input, attempt, trainings=len(SETTINGS["seeds"])
            )
        ),
        gpu=GPUS,
    params:
        seeds=SETTINGS["seeds"],
        training=of_study("training"),
        classes=classes,
        scored=of_study("scored"),
        identity=identity,
        compute=COMPUTE,
        inputs=inputs,
        inputs_code=code_hash("lib.predict.inputs", without=("lib.features", "lib.datasets")),
        code=code_hash("lib.train.runs"),
    script:
        "../scripts/train.py"


rule baselines:
    input:
        npy="results/{study}/examples.npy",
        examples="results/{study}/examples.parquet",
        split="results/{study}/{protocol}/split.parquet",
        audit="results/{study}/{protocol}/audit.json",
    output:
        runs=expand(
            f"{RUN}/{{name}}",
            architecture=BASELINES,
            seed=0,
            name=["run.json", "predictions.parquet"],
            allow_missing=True,
        ),
    log:
        "logs/baselines/{study}-{protocol}-{fold}.log",
    conda:
        "../../environment.yml"
    resources:
        **needs(
            lambda wildcards, input, attempt: resources.of_baselines(
                input.npy, study(wildcards, "features"), attempt=attempt
            )
        ),
    params:
        baselines=BASELINES,
        classes=classes,
        scored=of_study("scored"),
        identity=identity,
        seed=SETTINGS["seed"],
        code=code_hash("lib.train.baselines"),
    script:
        "../scripts/baselines.py"
