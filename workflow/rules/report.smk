rule plots:
    input:
        **EXAMPLES,
        tables=expand("results/tables/{table}.csv", table=TABLES),
        audits=of("audits"),
        histories=of("histories"),
    output:
        folder=shown(
            folder(f"results/plots/{{study}}{PACKED}"),
            "plots",
            patterns=["{name}.svg"],
            what="picture",
            name="{name}",
        ),
    log:
        "logs/plots/{study}.log",
    benchmark:
        "logs/plots/{study}.tsv"
    conda:
        "../../environment.yml"
    resources:
        **doubling(mem_mb=4000, runtime=60),
    params:
        **uses("lib.plots", values=["study"]),
    script:
        "../scripts/plots.py"


rule report:
    input:
        tables=expand("results/tables/{table}.csv", table=TABLES),
        plots=expand(f"results/plots/{{study}}{PACKED}", study=STUDIES),
        audits=each("protocol", AUDIT),
        explorations=expand("results/{study}/exploration.json", study=STUDIES),
        examples=expand("results/{study}/examples.json", study=STUDIES),
        manifests=expand("resources/data/{dataset}.json", dataset=DATASETS),
    output:
        page=shown("results/report.html", "page", what="the page"),
        provenance="results/provenance.json",
        checklists=folder(f"results/checklists{PACKED}"),
        inflation=shown("results/plots/inflation.svg", "overall", what="inflation over all studies"),
        ranks=shown("results/plots/critical_difference.svg", "overall", what="mean ranks of all"),
        pixels=expand("results/plots/{picture}.png", picture=["inflation", "critical_difference"]),
    log:
        "logs/report.log",
    benchmark:
        "logs/report.tsv"
    conda:
        "../../environment.yml"
    resources:
        **doubling(mem_mb=4000, runtime=60),
    params:
        **uses("lib.report", "lib.plots", values=["descriptions"], config=SETTINGS),
    script:
        "../scripts/report.py"
