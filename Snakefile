from snakemake.utils import min_version

min_version("9.21")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/retrieve.smk"
include: "workflow/rules/folder.smk"
include: "workflow/rules/recordings.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/examples.smk"
include: "workflow/rules/explore.smk"
include: "workflow/rules/splits.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/search.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        "results/report.html",


onstart:
    LOCK.acquire()
    check_cluster()
