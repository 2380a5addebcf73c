from lib.files import read_table, write_json
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.audit import audit_split, require_honest
    from lib.features import make
    from lib.splits import KINDS

    names = {"study": snakemake.wildcards.study, "protocol": snakemake.wildcards.protocol}
    audit = audit_split(
        read_table(snakemake.input.examples),
        read_table(snakemake.input.split),
        duration=make(**snakemake.params.features).seconds,
        classes=snakemake.params.classes,
        honest=snakemake.params.honest,
        sites=KINDS[snakemake.params.kind].tests_new_sites,
    )
    require_honest(audit, **names)
    write_json(snakemake.output.audit, {**names, "kind": snakemake.params.kind, **audit})
