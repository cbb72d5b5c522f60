#!/bin/sh
# Puts the rules of the edge with this configuration in force, in this network namespace. With --stay
# it stays afterwards, for a namespace that others are to share.
set -eu
config=${1:-/etc/smtp-gated/edge.toml}
edge-proxy nft -c "$config" | nft -f -
edge-proxy nft -c "$config" --ip-rules | sh
echo "rules are in force"
[ "${2:-}" = --stay ] && exec sleep infinity
exit 0
