from lib.config.stores import require_consent
from lib.jobs.cluster import require_partitions


def check_start():
    """Before anything runs: what a person has to fetch is there, and what jobs ask a cluster for."""
    jobs = list(workflow.dag.needrun_jobs())
    retrieved = {job.wildcards.dataset for job in jobs if job.rule.name == "retrieve"}
    try:
        require_consent(SETTINGS, retrieved)
        if workflow.executor_plugin.name == "slurm":
            require_partitions(job.resources.get("slurm_partition") for job in jobs)
    except HeldoutError as error:
        raise WorkflowError(str(error))
