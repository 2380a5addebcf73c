rule examples:
    input:
        recordings="results/{study}/recordings.csv",
        shards=shards_of_features,
    output:
        **EXAMPLES,
        digest=DIGEST,
    log:
        "logs/examples/{study}.log",
    benchmark:
        "logs/examples/{study}.tsv"
    conda:
        "../../environment.yml"
    resources:
        **doubling(mem_mb=4000, runtime=60),
    params:
        **uses(
            *("lib.examples.assembly", "lib.features.copies"),
            values=["dataset", "reading", "context"],
        ),
    script:
        "../scripts/examples.py"
