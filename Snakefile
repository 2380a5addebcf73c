# So that `snakemake` can be typed here. The workflow is defined in workflow/Snakefile.
include: "workflow/Snakefile"


# The target of an included file is none of the file that includes it.
workflow.default_target = "all"
