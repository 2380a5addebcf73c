checkpoint recordings:
    input:
        manifest=of("manifest"),
    output:
        table="results/{study}/recordings.csv",
        shards=folder(f"results/{{study}}/recordings{PACKED}"),
    log:
        "logs/recordings/{study}.log",
    benchmark:
        "logs/recordings/{study}.tsv"
    conda:
        "../../environment.yml"
    resources:
        **doubling(mem_mb=2000, runtime=240),
    params:
        **uses("lib.recordings", values=["dataset", "labels", "recordings", "shards"]),
    script:
        "../scripts/recordings.py"
