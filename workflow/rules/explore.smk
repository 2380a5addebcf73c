rule explore:
    input:
        npy="results/{study}/examples.npy",
        examples="results/{study}/examples.parquet",
    output:
        exploration="results/{study}/exploration.json",
    log:
        "logs/explore/{study}.log",
    conda:
        "../../environment.yml"
    resources:
        **needs(
            lambda wildcards, input, attempt: resources.of_table(
                input.npy, study(wildcards, "features"), attempt=attempt
            )
        ),
    params:
        classes=classes,
        code=code_hash("lib.explore"),
    script:
        "../scripts/explore.py"
