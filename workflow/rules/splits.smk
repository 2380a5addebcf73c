rule splits:
    input:
        examples="results/{study}/examples.parquet",
    output:
        split="results/{study}/{protocol}/split.parquet",
    log:
        "logs/splits/{study}-{protocol}.log",
    conda:
        "../../environment.yml"
    resources:
        **needs(
            lambda wildcards, input, attempt: resources.of_split(
                input.examples,
                folds=len(folds(wildcards.study, wildcards.protocol)),
                attempt=attempt,
            )
        ),
    params:
        protocol=split_params,
        seed=SETTINGS["seed"],
        code=code_hash("lib.splits"),
    script:
        "../scripts/splits.py"
