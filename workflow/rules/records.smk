rule records:
    input:
        page="results/report.html",
        provenance="results/provenance.json",
        tables=expand("results/tables/{table}.csv", table=TABLES),
        recordings=expand("results/{study}/recordings.csv", study=STUDIES),
        manifests=expand("resources/data/{dataset}.json", dataset=DATASETS),
        registries=[of_project(f"resources/registry/{dataset}.yaml") for dataset in PUBLISHED],
        workflow=of_project("workflow/Snakefile"),
    output:
        crate="results/ro-crate-metadata.json",
        workflow="results/Snakefile",
        croissant=expand("results/croissant/{dataset}.json", dataset=DATASETS),
    log:
        "logs/records.log",
    benchmark:
        "logs/records.tsv"
    conda:
        "../../environment.yml"
    resources:
        **doubling(mem_mb=2000, runtime=30),
    params:
        **uses("lib.records", values=["descriptions"], published=PUBLISHED),
    script:
        "../scripts/records.py"
