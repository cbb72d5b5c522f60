"""When somebody is called, and what is computed beforehand. Each alert has a runbook."""

from dataclasses import dataclass
from typing import Final

JOBS: Final = "edge-proxy|scanner|policy"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A figure that alerts and panels share."""

    name: str
    expr: str


@dataclass(frozen=True, slots=True)
class Alert:
    """``lasting`` as Prometheus writes durations. ``severity``: critical wakes somebody up, warning
    is for the working day. ``summary`` may have Prometheus' templates."""

    name: str
    expr: str
    lasting: str
    severity: str
    summary: str


RECORDED: Final = (
    Recorded(
        "smtpgated:messages:rate5m", "sum by (disposition) (rate(edge_transactions_total[5m]))"
    ),
    Recorded("smtpgated:verdicts:rate5m", "sum by (verdict) (rate(edge_verdicts_total[5m]))"),
    Recorded(
        "smtpgated:unscanned:ratio5m",
        'sum(rate(edge_verdicts_total{verdict="unscanned"}[5m]))'
        " / clamp_min(sum(rate(edge_verdicts_total[5m])), 1e-9)",
    ),
    Recorded(
        "smtpgated:verdict_wait_s:p99_5m",
        "histogram_quantile(0.99, sum by (le) (rate(edge_verdict_wait_s_bucket[5m])))",
    ),
    Recorded(
        "smtpgated:policy_batch_s:p99_5m",
        "histogram_quantile(0.99, sum by (le) (rate(policy_batch_s_bucket[5m])))",
    ),
    Recorded(
        "smtpgated:engine_seconds:p99_5m",
        "histogram_quantile(0.99, sum by (le, engine) (rate(scanner_engine_seconds_bucket[5m])))",
    ),
)

ALERTS: Final = (
    Alert(
        "ServiceDown",
        f'up{{job=~"{JOBS}"}} == 0',
        "2m",
        "critical",
        "{{ $labels.job }} at {{ $labels.instance }} does not answer",
    ),
    Alert(
        "MailUnscanned",
        "smtpgated:unscanned:ratio5m > 0.05",
        "5m",
        "critical",
        "{{ $value | humanizePercentage }} of the mail gets no verdict",
    ),
    Alert(
        "EngineDown",
        "scanner_engine_up == 0",
        "2m",
        "critical",
        "{{ $labels.engine }} does not answer the scanner at {{ $labels.instance }}",
    ),
    Alert(
        "SignaturesStale",
        "scanner_signatures_stale == 1",
        "1h",
        "warning",
        "the signatures of {{ $labels.engine }} at {{ $labels.instance }} are too old",
    ),
    Alert(
        "SignaturesRefused",
        "scanner_signatures_refused == 1",
        "15m",
        "critical",
        "newer signatures of {{ $labels.engine }} at {{ $labels.instance }} cannot be used",
    ),
    Alert(
        "DaemonsOut",
        "scanner_signatures_daemons_out > 0",
        "15m",
        "warning",
        "{{ $value }} daemons of the scanner at {{ $labels.instance }} do not come back",
    ),
    Alert(
        "ScannerRefuses",
        "sum by (instance, bound) (rate(scanner_refused_total[5m])) > 0",
        "10m",
        "warning",
        "the scanner at {{ $labels.instance }} has too much to do ({{ $labels.bound }})",
    ),
    Alert(
        "VerdictsSlow",
        "smtpgated:verdict_wait_s:p99_5m > 30",
        "10m",
        "warning",
        "one message in a hundred waits {{ $value | humanizeDuration }} for its verdict",
    ),
    Alert(
        "EdgeWithoutPolicy",
        "edge_policy_connected == 0",
        "5m",
        "critical",
        "the edge at {{ $labels.instance }} hears nothing from policy",
    ),
    Alert(
        "RulebooksDiffer",
        "max(edge_rulebook_version) - min(edge_rulebook_version) > 0",
        "5m",
        "warning",
        "edges have different rulebooks in force",
    ),
    Alert(
        "StoreAway",
        "max(policy_store_away) == 1",
        "2m",
        "critical",
        "policy works without Redis: limits are each replica's own",
    ),
    Alert(
        "RulebookUnreadable",
        "increase(policy_rulebooks_unreadable_total[15m]) > 0",
        "0m",
        "critical",
        "the stored rulebook cannot be read by {{ $labels.instance }}",
    ),
    Alert(
        "CopyFailing",
        "increase(policy_copy_failures_total[15m]) > 0",
        "0m",
        "warning",
        "policy at {{ $labels.instance }} cannot keep its copy on disk",
    ),
    Alert(
        "DecisionsSlow",
        "smtpgated:policy_batch_s:p99_5m > 0.25",
        "10m",
        "warning",
        "policy takes {{ $value | humanizeDuration }} for one batch of questions in a hundred",
    ),
    Alert(
        "InfectedBurst",
        'sum(increase(edge_verdicts_total{verdict="infected"}[15m])) > 50'
        ' and sum(rate(edge_verdicts_total{verdict="infected"}[15m]))'
        ' > 10 * sum(rate(edge_verdicts_total{verdict="infected"}[1d]))',
        "0m",
        "warning",
        "ten times the usual number of infected messages: {{ $value | humanize }} in 15 minutes",
    ),
    Alert(
        "EdgeOverloaded",
        "sum by (instance, why) (rate(edge_overloaded_total[5m])) > 0",
        "5m",
        "warning",
        "the edge at {{ $labels.instance }} turns connections away ({{ $labels.why }})",
    ),
    Alert(
        "LoopLate",
        "edge_loop_lag_s > 0.25",
        "10m",
        "warning",
        "the edge at {{ $labels.instance }} has more to do than its core can",
    ),
    Alert(
        "NoDestination",
        "sum by (instance, why) (increase(edge_no_destination_total[15m])) > 10",
        "0m",
        "warning",
        "connections at {{ $labels.instance }} have no destination ({{ $labels.why }})",
    ),
    Alert(
        "SessionErrors",
        "increase(edge_session_errors_total[15m]) > 0"
        " or increase(smtpgated_task_failures_total[15m]) > 0",
        "0m",
        "warning",
        "a bug of ours at {{ $labels.instance }}: its log has the place",
    ),
    Alert(
        "ReportsLost",
        "increase(edge_outcomes_dropped_total[15m]) > 0"
        " or increase(policy_outcomes_unkept_total[15m]) > 0"
        " or increase(policy_decisions_unkept_total[15m]) > 0",
        "0m",
        "warning",
        "what happened at {{ $labels.instance }} is not kept whole",
    ),
    Alert(
        "TokensGuessed",
        "sum(increase(policy_tokens_throttled_total[15m])) > 0",
        "0m",
        "warning",
        "somebody tries tokens at the admin API",
    ),
)
