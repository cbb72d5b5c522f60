"""What people watch the farm by: alerts, recording rules and dashboards, from tables.

``alerts`` and ``dashboards`` are the tables, ``rules`` and ``grafana`` how they are written. What
comes of it lies in deploy/monitoring, where compose and Kubernetes both take it from.
"""
