"""The one exception a user's mistake raises.

The command line prints its single line and exits with code 2.
"""

from tasks.redaction import redact


class UserError(Exception):
    """Something the user can put right: a file, a setting, a key, a folder.

    The message is one line that names the thing and the way out. Secrets in it are hidden; it never
    carries a review's text.
    """

    def __init__(self, message: str) -> None:
        # File names may hold signs that steer a terminal.
        seen = "".join(char if char.isprintable() else " " for char in redact(message))
        super().__init__(" ".join(seen.split()))
