rule plots:
    input:
        tables=expand("results/tables/{table}.csv", table=TABLES),
        npy="results/{study}/examples.npy",
        examples="results/{study}/examples.parquet",
        audits=lambda wildcards: expand(
            "results/{study}/{protocol}/audit.json",
            study=wildcards.study,
            protocol=study(wildcards, "protocols"),
        ),
        histories=lambda wildcards: [f"{run}/history.csv" for run in network_runs(wildcards.study)],
    output:
        folder=report(
            directory("results/plots/{study}"),
            patterns=["{name}.svg"],
            caption="../report/plots.rst",
            category="{study}",
            labels={"what": "picture", "name": "{name}"},
        ),
    log:
        "logs/plots/{study}.log",
    conda:
        "../../environment.yml"
    resources:
        **needs(lambda wildcards, input, attempt: resources.of_page(input.tables, attempt=attempt)),
    params:
        study=lambda wildcards: configuration.description(STUDIES[wildcards.study], SETTINGS),
        code=code_hash("lib.plots"),
    script:
        "../scripts/plots.py"


rule report:
    input:
        tables=expand("results/tables/{table}.csv", table=TABLES),
        plots=expand("results/plots/{study}", study=STUDIES),
        audits=per_protocol("results/{study}/{protocol}/audit.json"),
        explorations=expand("results/{study}/exploration.json", study=STUDIES),
        examples=expand("results/{study}/examples.json", study=STUDIES),
        manifests=expand("resources/data/{dataset}.json", dataset=DATASETS),
    output:
        page=report(
            "results/report.html",
            caption="../report/page.rst",
            category="Report",
            labels={"what": "the page"},
        ),
        inflation=report(
            "results/plots/inflation.svg",
            caption="../report/overall.rst",
            category="Report",
            labels={"what": "inflation over all studies"},
        ),
        ranks=report(
            "results/plots/critical_difference.svg",
            caption="../report/overall.rst",
            category="Report",
            labels={"what": "mean ranks over all studies"},
        ),
        pixels=expand("results/plots/{picture}.png", picture=["inflation", "critical_difference"]),
    log:
        "logs/report.log",
    conda:
        "../../environment.yml"
    resources:
        **needs(lambda wildcards, input, attempt: resources.of_page(input.tables, attempt=attempt)),
    params:
        studies=[configuration.description(value, SETTINGS) for value in STUDIES.values()],
        config=SETTINGS,
        code=code_hash("lib.report", "lib.plots"),
    script:
        "../scripts/report.py"
