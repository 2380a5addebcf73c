rule features:
    input:
        recordings=shards_of_recordings,
    output:
        shard="results/{study}/features/{shard}.npz",
    log:
        "logs/features/{study}-{shard}.log",
    benchmark:
        "logs/features/{study}-{shard}.tsv"
    conda:
        "../../environment.yml"
    resources:
        **needs(need_of_features),
    params:
        **uses("lib.features", values=["dataset", "labels", "features", "reading"]),
        # Another version may make other numbers; what only reads tables does not.
        made_with=packages_of("lib.features", without=["lib.files"]),
    script:
        "../scripts/features.py"
