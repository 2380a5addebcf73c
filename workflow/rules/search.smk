rule trial:
    input:
        npy="results/{study}/examples.npy",
        examples="results/{study}/examples.parquet",
        digest="results/{study}/examples.json",
        split=primary("results/{study}/{protocol}/split.parquet"),
        audit=primary("results/{study}/{protocol}/audit.json"),
    output:
        run=f"{TRIAL}/run.json",
    log:
        "logs/search/{study}-{architecture}-{trial}.log",
    conda:
        "../../environment.yml"
    threads: SETTINGS["threads"]
    resources:
        **needs(
            lambda wildcards, input, attempt: training_need(
                wildcards, input, attempt, trials=[trials(wildcards)[wildcards.trial]]
            )
        ),
        gpu=GPUS,
        # For the terminal. Among the params they would rerun every trial when one is added.
        trial=lambda wildcards: list(trials(wildcards)).index(wildcards.trial) + 1,
        trials=lambda wildcards: len(trials(wildcards)),
    params:
        hyperparameters=lambda wildcards: trials(wildcards)[wildcards.trial],
        training=of_study("training"),
        classes=classes,
        scored=of_study("scored"),
        identity=identity,
        seed=SETTINGS["seeds"][0],
        compute=COMPUTE,
        code=code_hash("lib.train.runs"),
    script:
        "../scripts/trial.py"


rule worker:
    input:
        npy="results/{study}/examples.npy",
        examples="results/{study}/examples.parquet",
        digest="results/{study}/examples.json",
        split=primary("results/{study}/{protocol}/split.parquet"),
        audit=primary("results/{study}/{protocol}/audit.json"),
    output:
        done=WORKER,
    log:
        "logs/search/{study}-{architecture}-worker-{worker}.log",
    conda:
        "../../environment.yml"
    threads: SETTINGS["threads"]
    resources:
        **needs(
            lambda wildcards, input, attempt: training_need(
                wildcards, input, attempt, trainings=trials_of_worker(wildcards)
            )
        ),
        gpu=GPUS,
    params:
        search=of_architecture,
        training=of_study("training"),
        classes=classes,
        scored=of_study("scored"),
        identity=identity,
        seed=SETTINGS["seeds"][0],
        compute=COMPUTE,
        training_code=code_hash("lib.train.runs"),
        code=code_hash("lib.search.bayes"),
    script:
        "../scripts/worker.py"


rule search:
    input:
        runs=searched,
    output:
        trials=report(
            "results/{study}/search/{architecture}/trials.csv",
            caption="../report/trials.rst",
            category="{study}",
            labels={"what": "trials", "architecture": "{architecture}"},
        ),
        best="results/{study}/search/{architecture}/best.json",
    log:
        "logs/search/{study}-{architecture}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        trials=trials,
        search=of_architecture,
        code=code_hash(
            "lib.search.choice",
            "lib.search.bayes",
            without=("lib.train.data", "lib.train.recipe", "lib.train.runs"),
        ),
    script:
        "../scripts/search.py"
