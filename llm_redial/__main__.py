"""`python -m llm_redial` is the command `redial`."""

from llm_redial.cli import main

if __name__ == "__main__":
    main()
