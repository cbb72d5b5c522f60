"""What ``make run`` was asked for: the environment's words, checked before anything starts.

LISTEN, UPSTREAM, MODE, ADMIN, CLAMD, SPAMD, REDIS_URL; an empty word is a word not given.
Errors: ConfigError for a word that makes no sense, StartError for one the machine does not
bear out (a port in use, an engine that does not answer). Each is one sentence that names the word.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal, TypeVar

from lab import probes
from lab.farm_plan import FarmPlan
from lab.ports import why_not
from service_kit.addresses import HostPort, UnixOrTcp
from service_kit.errors import ConfigError, StartError

DEFAULT_LISTEN: Final = "127.0.0.1:2525"
DEFAULT_ADMIN: Final = "127.0.0.1:8080"
_EVERY_ADDRESS: Final = frozenset(("0.0.0.0", "::"))  # noqa: S104  compared with, not bound
_LOOPBACK: Final = frozenset(("127.0.0.1", "::1", "localhost"))

T = TypeVar("T")


def asked(environ: Mapping[str, str], directory: Path, token_file: Path) -> FarmPlan:
    """The plan those words describe. Nothing on the machine is looked at."""
    mode = _mode(environ)
    upstream = _word(environ, "UPSTREAM", HostPort.parse)
    if mode == "fixed" and upstream is None:
        raise ConfigError("UPSTREAM=host:port is needed: the server every message goes to")
    if mode == "redirect" and upstream is not None:
        raise ConfigError("UPSTREAM is for MODE=fixed; with MODE=redirect each client has its own")
    if upstream is not None and upstream.port == 0:
        raise ConfigError(f"UPSTREAM={upstream}: a server has a port")
    plan = FarmPlan(
        directory=directory,
        token_file=token_file,
        upstream=upstream,
        mode=mode,
        listen=_word(environ, "LISTEN", _several) or _several(DEFAULT_LISTEN),
        admin=_word(environ, "ADMIN", HostPort.parse) or HostPort.parse(DEFAULT_ADMIN),
        clamd=_word(environ, "CLAMD", UnixOrTcp.parse),
        spamd=_word(environ, "SPAMD", HostPort.parse),
        redis_url=_word(environ, "REDIS_URL", _redis_url),
        verdict_cache=True,
    )
    _refuse_circles(plan)
    return plan


def check_machine(plan: FarmPlan) -> None:
    """Whether this machine has what the plan names: free ports, engines, Redis."""
    if plan.mode == "redirect" and sys.platform != "linux":
        raise StartError("MODE=redirect is Linux's own; here MODE=fixed works")
    for word, address in (*(("LISTEN", each) for each in plan.listen), ("ADMIN", plan.admin)):
        if why := why_not(address):
            raise StartError(f"{word}={address}: cannot listen there: {why}")
    if plan.clamd is not None and (why := probes.why_not_clamd(plan.clamd)):
        raise StartError(f"CLAMD={plan.clamd}: no clamd there: {why}")
    if plan.spamd is not None and (why := probes.why_not_spamd(plan.spamd)):
        raise StartError(f"SPAMD={plan.spamd}: no spamd there: {why}")
    if plan.redis_url is not None and (why := probes.why_not_redis(plan.redis_url)):
        raise StartError(f"REDIS_URL: no Redis there: {why}")


def _mode(environ: Mapping[str, str]) -> Literal["fixed", "redirect"]:
    match environ.get("MODE", "").strip():
        case "" | "fixed":
            return "fixed"
        case "redirect":
            return "redirect"
        case other:
            raise ConfigError(f"MODE={other}: is either fixed or redirect")


def _word(environ: Mapping[str, str], name: str, parse: Callable[[str], T]) -> T | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    try:
        return parse(text)
    except ValueError as wrong:
        # A URL may carry a password: it is not repeated.
        shown = name if parse is _redis_url else f"{name}={text}"
        raise ConfigError(f"{shown}: {wrong}") from None


def _several(text: str) -> tuple[HostPort, ...]:
    return tuple(HostPort.parse(each.strip()) for each in text.split(","))


def _redis_url(text: str) -> str:
    if not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return text


def _refuse_circles(plan: FarmPlan) -> None:
    for address in plan.listen:
        if address.port and address == plan.admin:
            raise ConfigError(f"LISTEN and ADMIN are both {address}: they need a port each")
        if plan.upstream is not None and _same_place(address, plan.upstream):
            raise ConfigError(f"UPSTREAM={plan.upstream} is where LISTEN is: mail would go round")


def _same_place(listen: HostPort, upstream: HostPort) -> bool:
    if listen.port != upstream.port:
        return False
    return listen.host == upstream.host or (
        upstream.host in _LOOPBACK and listen.host in _LOOPBACK | _EVERY_ADDRESS
    )
