"""Figures: the farm beside a direct connection and a plain TCP relay, measured in one run.

``python -m bench`` starts a sink (Postfix's smtp-sink), HAProxy as a TCP relay, a clamd with one
signature and a whole farm, sends the same load (smtp-source) through each of the three ways
in turn, several rounds, and prints medians and ratios. The machine's speed drifts; ratios of one
run do not. Nothing here asserts anything.
"""
