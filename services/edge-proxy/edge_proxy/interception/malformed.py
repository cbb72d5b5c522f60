"""The one error of the wire formats here: what came is not what the format allows."""


class Malformed(ValueError):  # noqa: N818 - what the octets are
    """Its text is a sentence for logs; it quotes no secret and at most a few octets."""
