rule audit:
    input:
        examples=EXAMPLES["examples"],
        split=SPLIT,
    output:
        audit=AUDIT,
    log:
        "logs/audit/{study}-{protocol}.log",
    benchmark:
        "logs/audit/{study}-{protocol}.tsv"
    conda:
        "../../environment.yml"
    resources:
        **doubling(mem_mb=4000, runtime=60),
    params:
        **uses("lib.audit", values=["honest", "kind", "features", "classes"]),
    script:
        "../scripts/audit.py"
