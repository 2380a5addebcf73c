rule features:
    input:
        recordings=shards_of_recordings,
    output:
        shard="results/{study}/features/{shard}.npz",
    log:
        "logs/features/{study}-{shard}.log",
    conda:
        "../../environment.yml"
    resources:
        **needs(
            lambda wildcards, input, attempt: resources.of_features(
                input.recordings, study(wildcards, "features"), attempt=attempt
            )
        ),
    params:
        dataset=of_study("dataset"),
        classes=of_study("classes"),
        features=of_study("features"),
        reading=lambda wildcards: configuration.reading(STUDIES[wildcards.study]),
        code=code_hash("lib.features"),
        # Another version may make other numbers; what only reads tables does not.
        made_with=packages_of("lib.features", without=["lib.files"]),
    script:
        "../scripts/features.py"
