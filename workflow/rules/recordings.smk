checkpoint recordings:
    input:
        manifest=manifest,
    output:
        table="results/{study}/recordings.csv",
        shards=directory("results/{study}/recordings"),
    log:
        "logs/recordings/{study}.log",
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
        shards=of_study("shards"),
        code=code_hash("lib.recordings.table", "lib.recordings.shards"),
    script:
        "../scripts/recordings.py"
