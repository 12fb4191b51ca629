"""What `redial serve` runs: Prefect's server behind a guard, and workers that run this project's flows and nothing else."""
