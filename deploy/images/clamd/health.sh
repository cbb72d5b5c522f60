#!/bin/sh
# Healthy: clamd answers PING. (freshclam has no such question; its container says so itself.)
exec clamdscan --config-file=/etc/clamav/clamd.conf --ping 1 --quiet
