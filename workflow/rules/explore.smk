rule explore:
    input:
        examples=EXAMPLES["examples"],
        digest=DIGEST,
    output:
        exploration="results/{study}/exploration.json",
    log:
        "logs/explore/{study}.log",
    benchmark:
        "logs/explore/{study}.tsv"
    priority: -1  # only tables and page wait for it: it fills what trainings leave
    conda:
        "../../environment.yml"
    resources:
        **doubling(mem_mb=4000, runtime=60),
    params:
        **uses("lib.explore", values=["classes"]),
    script:
        "../scripts/explore.py"
