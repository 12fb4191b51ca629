"""The exception for mistakes of users.

The command line prints its single line and exits with code 2.
"""

from tasks.redaction import redact


class UserError(Exception):
    """Something that the user can correct: a file, a setting, a key, a folder.

    The message is one line that says what is wrong and what to do. Secrets in it are hidden; it
    never quotes a review.
    """

    def __init__(self, message: str) -> None:
        # File names may have characters that control a terminal.
        printable = "".join(char if char.isprintable() else " " for char in redact(message))
        super().__init__(" ".join(printable.split()))
