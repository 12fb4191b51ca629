"""What `redial serve` runs: Prefect's server behind a guard, and workers for our flows alone."""
