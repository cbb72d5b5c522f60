"""Frozen values shared by all services, one file a contract: mail, scan, policy."""
