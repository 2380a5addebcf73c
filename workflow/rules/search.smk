rule trial:
    input:
        **CHOSEN_ON,
    output:
        run=f"{TRIAL}/run.json",
    log:
        "logs/{search}/{study}-{architecture}-{trial}.log",
    benchmark:
        "logs/{search}/{study}-{architecture}-{trial}.tsv"
    conda:
        "../../environment.yml"
    threads: SETTINGS["threads"]
    resources:
        **trainings(1),
        # For the terminal. Among the params they would rerun every trial when one is added.
        trial=lambda wildcards: list(of("trials")(wildcards)).index(wildcards.trial) + 1,
        trials=lambda wildcards: len(of("trials")(wildcards)),
    params:
        **TRAINING,
        hyperparameters=of("hyperparameters"),
        choice=of("choice"),
        by_test=of("by_test"),
        seed=SETTINGS["seeds"][0],
    script:
        "../scripts/trial.py"


rule worker:
    input:
        **CHOSEN_ON,
    output:
        done=WORKER,
    log:
        "logs/{search}/{study}-{architecture}-worker-{worker}.log",
    benchmark:
        "logs/{search}/{study}-{architecture}-worker-{worker}.tsv"
    conda:
        "../../environment.yml"
    threads: SETTINGS["threads"]
    resources:
        **trainings(None),
    params:
        **TRAINING,
        search=of("of_search"),
        choice=of("choice"),
        by_test=of("by_test"),
        seed=SETTINGS["seeds"][0],
        search_code=code_hash("lib.search.bayes"),
    script:
        "../scripts/worker.py"


rule search:
    input:
        runs=of("searched"),
    output:
        trials=shown(
            TRIALS, "trials", what="trials", search="{search}", architecture="{architecture}"
        ),
        best=BEST,
    log:
        "logs/{search}/{study}-{architecture}.log",
    benchmark:
        "logs/{search}/{study}-{architecture}.tsv"
    conda:
        "../../environment.yml"
    resources:
        **doubling(mem_mb=2000, runtime=30),
    params:
        **uses(
            *("lib.search.choice", "lib.search.bayes"),
            without=["lib.train.data", "lib.train.recipe", "lib.train.runs"],
            values=["trials", "of_search"],
        ),
    script:
        "../scripts/search.py"
