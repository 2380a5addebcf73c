rule folder:
    output:
        manifest="resources/data/{dataset,folder-.+}.json",
    log:
        "logs/folder/{dataset}.log",
    benchmark:
        "logs/folder/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 4
    resources:
        **doubling(mem_mb=4000, runtime=120),
    params:
        **uses("lib.own.survey", values=["survey"]),
    script:
        "../scripts/folder.py"
