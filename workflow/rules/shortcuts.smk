rule shortcuts:
    input:
        **EXAMPLES,
        recordings="results/{study}/recordings.csv",
        split=of("primary_split"),
        audit=of("primary_audit"),
    output:
        shortcuts=SHORTCUTS,
    log:
        "logs/shortcuts/{study}.log",
    benchmark:
        "logs/shortcuts/{study}.tsv"
    priority: -1  # only tables and page wait for it: it fills what trainings leave
    conda:
        "../../environment.yml"
    resources:
        **doubling(mem_mb=4000, runtime=60),
    params:
        **uses("lib.shortcuts.columns", values=["scored", "seed", "resamples"]),
    script:
        "../scripts/shortcuts.py"


rule permuted:
    input:
        **CHOSEN_ON,
        best=BEST.replace("{search}", SEARCH),
    output:
        run=PERMUTED,
    log:
        "logs/permuted/{study}-{architecture}-{permutation}-{fold}.log",
    benchmark:
        "logs/permuted/{study}-{architecture}-{permutation}-{fold}.tsv"
    conda:
        "../../environment.yml"
    threads: SETTINGS["threads"]
    resources:
        **trainings(1),
    params:
        **TRAINING,
        seed=SETTINGS["seeds"][0],
        dealt=SETTINGS["seed"],
        dealt_code=code_hash("lib.shortcuts.permuted"),
    script:
        "../scripts/permuted.py"
