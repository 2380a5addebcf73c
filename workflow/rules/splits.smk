rule splits:
    input:
        examples=EXAMPLES["examples"],
        recordings="results/{study}/recordings.csv",
    output:
        split=SPLIT,
    log:
        "logs/splits/{study}-{protocol}.log",
    benchmark:
        "logs/splits/{study}-{protocol}.tsv"
    conda:
        "../../environment.yml"
    resources:
        **doubling(mem_mb=2000, runtime=30),
    params:
        **uses("lib.splits", values=["seed", "split"]),
    script:
        "../scripts/splits.py"
