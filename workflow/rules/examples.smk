rule examples:
    input:
        recordings="results/{study}/recordings.csv",
        shards=expand("results/{{study}}/features/{shard}.npz", shard=SHARDS),
    output:
        npy="results/{study}/examples.npy",
        parquet="results/{study}/examples.parquet",
        digest="results/{study}/examples.json",
    log:
        "logs/examples/{study}.log",
    benchmark:
        "results/benchmarks/examples/{study}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code_hash("lib.examples"),
    script:
        "../scripts/examples.py"
