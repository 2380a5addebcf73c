rule recordings:
    input:
        manifest=manifest,
    output:
        table="results/{study}/recordings.csv",
        shards=expand("results/{{study}}/recordings/{shard}.csv", shard=SHARDS),
    log:
        "logs/recordings/{study}.log",
    benchmark:
        "results/benchmarks/recordings/{study}.tsv"
    conda:
        "../../environment.yml"
    resources:
        **needs(
            lambda wildcards, input, attempt: resources.of_recordings(
                input.manifest, attempt=attempt
            )
        ),
    params:
        dataset=of_study("dataset"),
        classes=of_study("classes"),
        recordings=of_study("recordings"),
        code=code_hash("lib.recordings"),
    script:
        "../scripts/recordings.py"
