rule features:
    input:
        recordings="results/{study}/recordings/{shard}.csv",
    output:
        shard="results/{study}/features/{shard}.npz",
    log:
        "logs/features/{study}-{shard}.log",
    params:
        dataset=of_study("dataset"),
        classes=of_study("classes"),
        features=of_study("features"),
        code=code_hash("lib.features"),
    resources:
        mem_mb=2000,
        runtime=60,
    script:
        "../scripts/features.py"
