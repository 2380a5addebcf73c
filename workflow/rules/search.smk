def primary(path):
    """A path of the protocol that hyperparameters are chosen on."""
    return lambda wildcards: path.format(
        study=wildcards.study, protocol=study(wildcards, "primary")
    )


def trials(wildcards):
    return study(wildcards, "trials", wildcards.architecture)


def trained(wildcards):
    """The trials to train: all of them, or none where there is nothing to choose."""
    names = trials(wildcards) if len(trials(wildcards)) > 1 else []
    return expand(f"{TRIAL}/run.json", trial=names, allow_missing=True)


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
    benchmark:
        "results/benchmarks/search/{study}-{architecture}-{trial}.tsv"
    threads: SETTINGS["threads"]
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        hyperparameters=lambda wildcards: trials(wildcards)[wildcards.trial],
        training=of_study("training"),
        classes=classes,
        scored=of_study("scored"),
        dataset=of_study("dataset"),
        simulated=of_study("simulated"),
        protocol=of_study("primary"),
        seed=SETTINGS["seeds"][0],
        backend=SETTINGS["backend"],
        code=code_hash("lib.train"),
    script:
        "../scripts/trial.py"


rule search:
    input:
        runs=trained,
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
    benchmark:
        "results/benchmarks/search/{study}-{architecture}.tsv"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        trials=trials,
        code=code_hash("lib.search"),
    script:
        "../scripts/search.py"
