def split_params(wildcards):
    return configuration.split_options(study(wildcards, "protocols", wildcards.protocol))


rule splits:
    input:
        examples="results/{study}/examples.parquet",
    output:
        split="results/{study}/{protocol}/split.parquet",
    log:
        "logs/splits/{study}-{protocol}.log",
    benchmark:
        "results/benchmarks/splits/{study}-{protocol}.tsv"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        protocol=split_params,
        seed=SETTINGS["seed"],
        code=code_hash("lib.splits"),
    script:
        "../scripts/splits.py"
