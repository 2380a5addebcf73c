rule examples:
    input:
        recordings="results/{study}/recordings.csv",
        shards=shards_of_features,
    output:
        npy="results/{study}/examples.npy",
        parquet="results/{study}/examples.parquet",
        digest="results/{study}/examples.json",
    log:
        "logs/examples/{study}.log",
    conda:
        "../../environment.yml"
    resources:
        **needs(
            lambda wildcards, input, attempt: resources.of_examples(
                # Not input.shards: in a dry run, before there are any, that is one name.
                list(input),
                study(wildcards, "features"),
                attempt=attempt,
            )
        ),
    params:
        code=code_hash("lib.examples.assembly"),
    script:
        "../scripts/examples.py"
