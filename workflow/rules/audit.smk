rule audit:
    input:
        npy="results/{study}/examples.npy",
        examples="results/{study}/examples.parquet",
        split="results/{study}/{protocol}/split.parquet",
    output:
        audit="results/{study}/{protocol}/audit.json",
    log:
        "logs/audit/{study}-{protocol}.log",
    conda:
        "../../environment.yml"
    resources:
        **needs(
            lambda wildcards, input, attempt: resources.of_table(
                input.npy,
                study(wildcards, "features"),
                folds=len(folds(wildcards.study, wildcards.protocol)),
                attempt=attempt,
            )
        ),
    params:
        honest=lambda wildcards: study(wildcards, "protocols", wildcards.protocol, "honest"),
        kind=lambda wildcards: study(wildcards, "protocols", wildcards.protocol, "kind"),
        classes=classes,
        features=of_study("features"),
        code=code_hash("lib.audit"),
    script:
        "../scripts/audit.py"
