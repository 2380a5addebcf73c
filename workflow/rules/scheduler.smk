"""When Snakemake looks for jobs that can start."""


def rest_scheduler():
    """Have the scheduler look at what can start when a job has ended, and at no other time.

    By default at most 100 jobs start in a second. To keep that, each look has another follow a second
    later for as long as jobs wait for a core, and each job that ends adds one more: 40 jobs of half a
    second on two cores had 220 looks, and 40 without. Another limit that is asked for is kept.
    """
    asked = workflow.scheduling_settings.max_jobs_per_timespan
    if asked is not None and (asked.max_jobs, asked.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None
