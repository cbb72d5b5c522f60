"""Where connections arrive, where they were going, and how many there may be."""

import re
from collections.abc import Mapping
from typing import Any, Final

from edge_proxy.legacy.draft import Draft, File, Old
from edge_proxy.legacy.syntax import LegacyError

_ANY: Final = "0.0.0.0"  # noqa: S104 - compared, not bound
_MOST_BACKLOG: Final = 65_535
_LONGEST_LOOKUP_S: Final = 60
_LONGEST_CONNECT_S: Final = 300
_LONGEST_IDLE_S: Final = 86_400
_MOST_ATTEMPTS: Final = 20
_PRIVATE: Final = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
_NAME_THE_ROUTERS: Final = (
    "peers are the private networks: name your routers instead; the old program asked anybody"
)

_MODES: Final[Mapping[str, Mapping[str, Any]]] = {
    "fixed": {"mode": "fixed"},
    "fixed+xclient": {"mode": "fixed", "introduce": "xclient"},
    "remote": {"mode": "ident"},
    "remote-udp": {"mode": "proxy-helper"},
    "getsockname": {"mode": "getsockname"},
    "ipfw": {"mode": "getsockname"},
    "netfilter": {"mode": "redirect"},
    "tproxy": {"mode": "tproxy"},
    "tproxy,netfilter": {"mode": "tproxy", "private": "redirect"},
    "ipfilter": {"mode": "ipfilter"},
    "pf": {"mode": "pf"},
}


def translate_way_in(old: Old, draft: Draft) -> None:
    """Raises LegacyError: the old program would not have started either."""
    listening = f"{old.text('bind_address')}:{old.number('port')}"
    draft.put(File.EDGE, "listen.addresses", [listening], "bind_address", "port")
    backlog = _within(old.number("connect_queue"), 1, _MOST_BACKLOG)
    draft.put(File.EDGE, "listen.backlog", backlog, "connect_queue")
    _mode(old, draft)
    _name(old, draft)
    connect_s = _within(old.number("timeout_connect"), 1, _LONGEST_CONNECT_S)
    draft.put(File.EDGE, "destination.connect_timeout_s", connect_s, "timeout_connect")
    if old.text("outgoing_addr") != _ANY:
        draft.put(
            File.EDGE, "destination.outgoing_address", old.text("outgoing_addr"), "outgoing_addr"
        )
    else:
        draft.say("outgoing_addr", "the system's choice, as before")
    idle_s = _within(old.number("timeout_direct"), 1, _LONGEST_IDLE_S)
    draft.put(File.EDGE, "tunnel.idle_s", idle_s, "timeout_direct")
    most = max(1, old.number("max_connections"))
    draft.put(File.EDGE, "limits.sessions", most, "max_connections")
    draft.put(File.RULEBOOK, "limits.concurrent_sessions", most, "max_connections")
    per = "limits.concurrent_sessions_per"
    per_source = max(1, old.number("max_per_host"))
    draft.put(File.RULEBOOK, f"{per}_source", per_source, "max_per_host")
    if old.text("mode").startswith("remote"):  # without a router to ask there was no identity
        per_identity = max(1, old.number("max_per_ident"))
        draft.put(File.RULEBOOK, f"{per}_identity", per_identity, "max_per_ident")


def translate_smtp(old: Old, draft: Draft) -> None:
    """What of SMTP is insisted on, how much load is borne, and the header that mail carries."""
    early = old.yes("earlytalker") and old.text("mode") != "fixed+xclient"
    draft.put(File.EDGE, "smtp.early_talker", "refuse" if early else "ignore", "earlytalker")
    draft.put(File.EDGE, "smtp.message_octets", old.number("size_limit"), "size_limit")
    for name, key in (("max_load", "load_average"), ("spam_max_load", "skip_spam_load_average")):
        draft.put(File.EDGE, f"limits.{key}", max(old.real(name), 0.0), name)
    draft.put(File.EDGE, "trace.style", old.text("nat_header_type"), "nat_header_type")
    for name, key, pattern in (
        ("nat_header", "header", r"[A-Za-z0-9-]{1,70}"),
        ("abuse", "abuse", r"[!-~]{0,255}"),
    ):
        if re.fullmatch(pattern, old.text(name)):
            draft.put(File.EDGE, f"trace.{key}", old.text(name), name)
        else:
            draft.lacking[name] = f"trace.{key} is to be like {pattern}"


def _mode(old: Old, draft: Draft) -> None:
    mode = old.text("mode")
    if mode == "none":
        raise LegacyError(["mode: should be given; the old program does not start without it"])
    for key, value in _MODES[mode].items():
        draft.put(File.EDGE, f"destination.{key}", value, "mode")
    if mode.startswith("fixed"):
        if not old.text("fixed_server"):
            raise LegacyError([f"fixed_server: should be given with mode {mode}"])
        server = f"{old.text('fixed_server')}:{old.number('fixed_server_port')}"
        draft.put(File.EDGE, "destination.server", server, "fixed_server", "fixed_server_port")
    lookup_s = _within(old.number("timeout_lookup"), 1, _LONGEST_LOOKUP_S)
    if mode == "remote":
        draft.put(File.EDGE, "destination.ident.peers", _PRIVATE, "mode")
        draft.put(File.EDGE, "destination.ident.port", old.number("remote_port"), "remote_port")
        draft.say("mode", _NAME_THE_ROUTERS)
    if mode == "remote-udp":
        attempts = _within(old.number("remote_udp_retries"), 1, _MOST_ATTEMPTS)
        attempt_s = min(lookup_s, _LONGEST_LOOKUP_S // attempts)
        lookup_s = attempts * attempt_s
        helper = "destination.proxy_helper"
        draft.put(File.EDGE, f"{helper}.peers", _PRIVATE, "mode")
        draft.say("mode", _NAME_THE_ROUTERS)
        draft.put(File.EDGE, f"{helper}.port", old.number("remote_port"), "remote_port")
        draft.put(File.EDGE, f"{helper}.attempts", attempts, "remote_udp_retries")
        draft.put(File.EDGE, f"{helper}.attempt_timeout_s", attempt_s, "timeout_lookup")
        if old.number("remote_udp_secret"):
            file = "/etc/smtp-gated/proxy-helper.secret"
            draft.put(File.EDGE, f"{helper}.secret_file", file, "remote_udp_secret")
            draft.say("remote_udp_secret", "write the number into that file, readable for the edge")
    draft.put(File.EDGE, "destination.lookup_timeout_s", lookup_s, "timeout_lookup")


def _name(old: Old, draft: Draft) -> None:
    name = old.text("proxy_name")
    if name == "*":
        draft.say(
            "proxy_name", f"{File.EDGE}: no replies.name; set it if replies shall name a host"
        )
    elif len(name) <= 255 and re.fullmatch(r"[A-Za-z0-9.\-]+", name):  # noqa: PLR2004 - RFC 1035
        draft.put(File.EDGE, "replies.name", name, "proxy_name")
    else:
        draft.say("proxy_name", f"{File.EDGE}: no replies.name; it is not the name of a host")


def _within(number: int, least: int, most: int) -> int:
    return min(max(number, least), most)
