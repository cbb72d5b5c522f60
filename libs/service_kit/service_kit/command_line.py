"""The verbs every service has, and what each exit code says.

    scanner run -c scanner.toml            serve until SIGTERM
    scanner check-config -c scanner.toml   say what is wrong with it, or what is in force
    scanner probe -c scanner.toml          is the one that runs with it ready?

Exit codes: 0 ended as asked (probe: ready); 1 a bug, the log has the traceback (probe: not
ready, stderr says why); 2 the configuration or the machine is not in order, one sentence on
stderr says what. A service registers verbs of its own as ``Verb`` values.
"""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final, Generic, TypeVar

import uvloop

from service_kit.addresses import HostPort
from service_kit.config import Settings, load
from service_kit.config_text import settings_text
from service_kit.errors import ConfigError, StartError
from service_kit.lifecycle import STOPPED_AT_ONCE
from service_kit.logs import LogSettings, configure, event
from service_kit.probe import why_not_ready

Model = TypeVar("Model", bound=Settings)

EXIT_OK: Final = 0
EXIT_BUG: Final = 1
EXIT_NOT_READY: Final = 1
"""Of ``probe``: what container engines take for unhealthy."""
EXIT_NOT_IN_ORDER: Final = 2
_DISTRIBUTION: Final = "smtpgated-service-kit"
_LOG: Final = logging.getLogger(__name__)


def _no_arguments(_parser: argparse.ArgumentParser) -> None:
    """A verb without arguments of its own."""


@dataclass(frozen=True, slots=True)
class Verb(Generic[Model]):
    """Something else a service can be asked: gets the settings, returns the exit code."""

    name: str
    summary: str
    act: Callable[[Model, argparse.Namespace], int]
    add_arguments: Callable[[argparse.ArgumentParser], None] = _no_arguments


@dataclass(frozen=True, slots=True)
class PlainVerb:
    """As ``Verb``, for what has nothing to do with the service's configuration."""

    name: str
    summary: str
    act: Callable[[argparse.Namespace], int]
    add_arguments: Callable[[argparse.ArgumentParser], None] = _no_arguments


def service_main(
    name: str,
    model: type[Model],
    prefix: str,
    run: Callable[[Model], Awaitable[None]],
    argv: Sequence[str] | None = None,
    *,
    verbs: Sequence[Verb[Model] | PlainVerb] = (),
) -> int:
    """The whole of a service's ``__main__``: ``sys.exit(service_main(...))``."""

    def serve(settings: Model, _asked: argparse.Namespace) -> int:
        return _serve(name, settings, run)

    def show(settings: Model, asked: argparse.Namespace) -> int:
        source = asked.config if asked.config is not None else "the environment"
        sys.stdout.write(f"# {source}: in order. In force, defaults included:\n")
        sys.stdout.write(settings_text(settings))
        return EXIT_OK

    def probe(settings: Model, _asked: argparse.Namespace) -> int:
        why = why_not_ready(_status_address(settings))
        sys.stderr.write(f"{name}: not ready: {why}\n" if why else "")
        return EXIT_NOT_READY if why else EXIT_OK

    offered = (
        Verb("run", "serve until SIGTERM or SIGINT; a second signal stops at once", serve),
        Verb("check-config", "say what is wrong with the configuration, or what is in force", show),
        Verb("probe", "ask the one that runs with this configuration whether it is ready", probe),
        *verbs,
    )
    asked = _parser(name, prefix, offered).parse_args(argv)
    chosen = next(verb for verb in offered if verb.name == asked.verb)
    try:
        if isinstance(chosen, PlainVerb):
            return chosen.act(asked)
        return chosen.act(load(model, asked.config, os.environ, prefix), asked)
    except (ConfigError, StartError) as wrong:
        sys.stderr.write("".join(f"{name}: {line}\n" for line in str(wrong).splitlines()))
        return EXIT_NOT_IN_ORDER


def _serve(name: str, settings: Model, run: Callable[[Model], Awaitable[None]]) -> int:
    configure(_log_settings(settings), name)

    async def main() -> None:
        await run(settings)

    try:
        uvloop.run(main())
    except (ConfigError, StartError):
        raise
    except KeyboardInterrupt:
        return EXIT_OK  # before the service had a Lifecycle
    except asyncio.CancelledError as cancelled:
        if STOPPED_AT_ONCE in cancelled.args:
            return EXIT_OK  # a second signal
        event(_LOG, logging.CRITICAL, "ended by a bug", exc_info=cancelled)
        return EXIT_BUG
    except Exception as bug:  # noqa: BLE001 - the process's last line
        event(_LOG, logging.CRITICAL, "ended by a bug", exc_info=bug)
        return EXIT_BUG
    finally:
        logging.shutdown()
    return EXIT_OK


def _log_settings(settings: Settings) -> LogSettings:
    """The field that holds them, whatever its name."""
    return next((value for _, value in settings if isinstance(value, LogSettings)), LogSettings())


def _status_address(settings: Settings) -> HostPort:
    """Where the service serves /readyz. Raises ConfigError where it does so nowhere."""
    listen = getattr(getattr(settings, "metrics", None), "listen", None)
    if not isinstance(listen, HostPort) or listen.port == 0:
        raise ConfigError("probe asks /readyz: [metrics] listen should be an address with a port")
    return listen


def _parser(
    name: str, prefix: str, verbs: Sequence[Verb[Model] | PlainVerb]
) -> argparse.ArgumentParser:
    variable = prefix.rstrip("_")
    parser = argparse.ArgumentParser(
        prog=name,
        description=f"The {name} service of SMTP-Gated.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=(
            f"Every key of the file can be overridden by a variable of the environment:\n"
            f"  {variable}_KEY=value            a key at the top of the file\n"
            f"  {variable}_SECTION__KEY=value   a key of [section]\n"
            f"Try first:  {name} check-config -c FILE\n"
            f"Exit codes: 0 ended as asked, 1 a bug, 2 configuration or machine not in order."
        ),
    )
    parser.add_argument("--version", action="version", version=f"{name} {_version()}")
    under = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in verbs:
        sub = under.add_parser(verb.name, help=verb.summary, description=verb.summary)
        if isinstance(verb, Verb):
            sub.add_argument(
                "-c",
                "--config",
                metavar="FILE",
                type=Path,
                help=f"TOML file (without it: defaults and {variable}_… variables only)",
            )
        verb.add_arguments(sub)
    return parser


def _version() -> str:
    try:
        return metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "(not installed)"
