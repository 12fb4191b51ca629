"""The wiring: Prefect flows and the command line.

No SQL, no frame logic and no prompt text lives here.
"""
