"""The two errors that end a start: the operator's to mend, so each is one whole sentence.

``command_line`` prints it on stderr and exits with 2. No traceback, no secret.
"""


class ConfigError(Exception):
    """The configuration is wrong: names the file or variable, the key, the value, the cure.

    Several mistakes found at once are several lines.
    """


class StartError(Exception):
    """The configuration is right, but the machine does not give what it asks for.

    A port in use, a certificate that cannot be read, a peer that must be there and is not.
    """
