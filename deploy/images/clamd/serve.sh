#!/bin/sh
# clamd (waits for a first database) or freshclam (keeps it new).
set -eu
case "${1:-clamd}" in
clamd)
    until find /var/lib/clamav -name '*.c[vl]d' -o -name '*.[nhl]db' | grep -q .; do
        echo "no signatures in /var/lib/clamav yet: freshclam has to bring them"
        sleep 2
    done
    exec clamd --foreground --config-file=/etc/clamav/clamd.conf
    ;;
freshclam)
    exec freshclam --daemon --foreground --config-file=/etc/clamav/freshclam.conf
    ;;
*)
    exec "$@"
    ;;
esac
