#!/bin/sh
# The lab's messages, from every customer by every way in. The arguments are the compose command.
set -eu
send() { # who, server, as whom the server must see him
    who=$1 server=$2 seen=$3
    shift 3
    echo "== $who, to $server"
    "$@" exec -T "$who" python -m lab send --to "$server" --seen-as "$seen" \
        --admin policy:8080 --token-file /farm/policy/admin-token --store /farm/mail
}
send customer 203.0.113.10:25 203.0.113.2 "$@"          # redirected: the router asks for him
send subscriber 203.0.113.10:25 198.51.100.10 "$@"      # by TPROXY: himself
send subscriber "[2001:db8:2::10]:25" 2001:db8:1::10 "$@"
