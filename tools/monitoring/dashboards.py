"""What people look at: four dashboards, from the whole farm down to one service."""

from dataclasses import dataclass
from typing import Final

WINDOW: Final = "$__rate_interval"


@dataclass(frozen=True, slots=True)
class Panel:
    """``queries``: expression and legend. ``unit`` as Grafana calls it; ``single``: one number."""

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    single: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """``uid`` names it in links and file names. ``job`` empty: of all services."""

    uid: str
    title: str
    panels: tuple[Panel, ...]
    job: str = ""


def _rate(metric: str, by: str, unit: str, title: str, description: str = "") -> Panel:
    """A counter as so many a second, by a label; by nothing where ``by`` is empty."""
    of = f'{metric}{{instance=~"$instance"}}'
    summed = f"sum by ({by}) " if by else "sum"
    expr = f"{summed}(rate({of}[{WINDOW}]))"
    return Panel(title, ((expr, f"{{{{{by}}}}}" if by else title),), unit, description=description)


def _now(metric: str, title: str, unit: str = "short", description: str = "") -> Panel:
    """A gauge of each instance."""
    expr = f'{metric}{{instance=~"$instance"}}'
    return Panel(title, ((expr, "{{instance}}"),), unit, description=description)


def _quantiles(metric: str, title: str, by: str = "", description: str = "") -> Panel:
    """Of a histogram in seconds."""
    labels = f"le, {by}" if by else "le"
    rate = f'sum by ({labels}) (rate({metric}_bucket{{instance=~"$instance"}}[{WINDOW}]))'
    legend = f"{{{{{by}}}}} p" if by else "p"
    return Panel(
        title,
        tuple(
            (f"histogram_quantile({part}, {rate})", f"{legend}{round(part * 100)}")
            for part in (0.5, 0.99)
        ),
        "s",
        description=description,
    )


_PROCESS: Final = (
    Panel(
        "CPU",
        ((f'rate(process_cpu_seconds_total{{instance=~"$instance"}}[{WINDOW}])', "{{instance}}"),),
        "percentunit",
        description="1 is one core.",
    ),
    _now("process_resident_memory_bytes", "Memory", "bytes"),
    _now("process_open_fds", "Open files"),
)

DASHBOARDS: Final = (
    Dashboard(
        "smtpgated-farm",
        "SMTP-Gated: farm",
        (
            Panel("Sessions", (("sum(edge_open_sessions)", "now"),), single=True),
            Panel(
                "Messages",
                (("sum(smtpgated:messages:rate5m)", "a second"),),
                "ops",
                single=True,
            ),
            Panel(
                "Without a verdict",
                (("smtpgated:unscanned:ratio5m", "of all"),),
                "percentunit",
                single=True,
                description="Engines or scanners that did not answer, whatever came of it.",
            ),
            Panel(
                "Messages by what became of them",
                (("smtpgated:messages:rate5m", "{{disposition}}"),),
                "ops",
            ),
            Panel("Verdicts", (("smtpgated:verdicts:rate5m", "{{verdict}}"),), "ops"),
            Panel(
                "The end of a message was held",
                (("smtpgated:verdict_wait_s:p99_5m", "p99"),),
                "s",
            ),
            Panel(
                "Answers of policy",
                (("smtpgated:policy_batch_s:p99_5m", "p99 of a batch"),),
                "s",
            ),
            Panel("Engines", (("smtpgated:engine_seconds:p99_5m", "{{engine}} p99"),), "s"),
            Panel(
                "Refused by locks and limits",
                (
                    (f"sum(rate(edge_locked_out_total[{WINDOW}]))", "locked"),
                    (f"sum by (verb) (rate(edge_denied_total[{WINDOW}]))", "{{verb}}"),
                ),
                "ops",
            ),
            Panel("Locks", (("max(policy_locks)", "in force"),)),
            Panel("Services", (("sum by (job) (up)", "{{job}}"),), description="How many answer."),
            Panel(
                "Signatures' age",
                (
                    (
                        "time() - (scanner_signatures_made_timestamp_seconds > 0)",
                        "{{engine}} at {{instance}}",
                    ),
                ),
                "s",
            ),
        ),
    ),
    Dashboard(
        "smtpgated-edge",
        "SMTP-Gated: edges",
        (
            _now("edge_open_sessions", "Sessions now"),
            _rate("edge_sessions_total", "closed_by", "ops", "Sessions by who ended them"),
            _rate("edge_transactions_total", "disposition", "ops", "Messages"),
            _rate("edge_verdicts_total", "verdict", "ops", "Verdicts"),
            _quantiles("edge_verdict_wait_s", "The end of a message was held"),
            _rate("edge_scans_total", "end", "ops", "Calls to scanners, by how they ended"),
            _rate("edge_octets_total", "side", "Bps", "Octets, by who sent them"),
            _rate("edge_decisions_total", "judge", "ops", "Decisions, by who made them"),
            _rate("edge_denied_total", "verb", "ops", "Commands refused by limits and locks"),
            _rate("edge_server_rejections_total", "verb", "ops", "Commands servers refused"),
            _rate("edge_rules_fired_total", "mode", "ops", "Rules that bit, or would have"),
            _rate("edge_violations_total", "side", "ops", "Protocol violations, by side"),
            _rate("edge_tunnels_ended_total", "closed_by", "ops", "Tunnels, by who ended them"),
            _rate("edge_tunnel_messages_total", "", "ops", "Messages in tunnels, estimated"),
            _rate("edge_no_destination_total", "why", "ops", "Connections without destination"),
            _rate("edge_overloaded_total", "why", "ops", "Turned away because of load"),
            _now("edge_loop_lag_s", "The loop comes late by", "s"),
            _now("edge_policy_connected", "Hears policy", "bool"),
            _now("edge_rulebook_version", "Rulebook in force"),
            _now("edge_locks", "Locks known"),
            _rate("edge_handovers_total", "outcome", "ops", "Handovers"),
            *_PROCESS,
        ),
        "edge-proxy",
    ),
    Dashboard(
        "smtpgated-scanner",
        "SMTP-Gated: scanners",
        (
            _rate("scanner_scans_total", "verdict", "ops", "Scans by verdict"),
            _now("scanner_scans_in_flight", "Scans in flight"),
            _now("scanner_held_octets", "Content in memory", "bytes"),
            _rate("scanner_scanned_octets_total", "", "Bps", "Octets judged"),
            _rate("scanner_refused_total", "bound", "ops", "Not admitted, by bound"),
            _rate("scanner_spared_total", "engine", "ops", "Engines spared because of load"),
            _quantiles("scanner_engine_seconds", "Engines", "engine"),
            _rate("scanner_engine_failures_total", "reason", "ops", "Not judged, by reason"),
            _now("scanner_engine_up", "Engines that answer", "bool"),
            _now("scanner_engine_daemons_away", "Daemons away"),
            _now("scanner_signatures_version", "Signatures' version"),
            _now("scanner_signatures_daemons_out", "Daemons that reload, or are not trusted"),
            _rate("scanner_signatures_reloads_total", "outcome", "ops", "Reloads"),
            _rate("scanner_cache_answers_total", "source", "ops", "Answers, by their source"),
            _now("scanner_cache_entries", "Answers remembered"),
            _rate("scanner_cache_shared_failures_total", "kind", "ops", "Shared cache failed"),
            *_PROCESS,
        ),
        "scanner",
    ),
    Dashboard(
        "smtpgated-policy",
        "SMTP-Gated: policy",
        (
            _rate("policy_decisions_total", "decision", "ops", "Decisions"),
            _rate("policy_decisions_total", "ground", "ops", "What they rest on"),
            _quantiles("policy_batch_s", "A batch of questions"),
            _rate("policy_limits_reached_total", "counted", "ops", "Limits that said no"),
            _now("policy_store_away", "Redis is away", "bool"),
            _rate("policy_local_answers_total", "", "ops", "Answered without Redis"),
            _now("policy_sessions", "Leases known"),
            _now("policy_locks", "Locks"),
            _rate("policy_locks_asked_total", "fate", "ops", "Locks asked for, by fate"),
            _rate("policy_penalties_total", "", "ops", "Times points were given"),
            _now("policy_watchers", "Edges that watch"),
            _rate("policy_feed_gaps_total", "", "ops", "Changes missed, all read anew"),
            _now("policy_rulebook_version", "Rulebook in force"),
            _rate("policy_outcomes_total", "disposition", "ops", "Messages reported"),
            _rate("policy_decisions_unkept_total", "", "ops", "Decisions not written down"),
            _rate("policy_dns_lookups_total", "fate", "ops", "Lookups in the DNS"),
            _rate("policy_spf_results_total", "result", "ops", "SPF"),
            _rate("policy_dnsbl_answers_total", "answer", "ops", "Blocklists"),
            _rate("policy_tokens_refused_total", "", "ops", "Wrong tokens"),
            *_PROCESS,
        ),
        "policy",
    ),
)
