"""The life of signatures: how old they are, and how new ones come into force without a gap.

    knowledge   whether what an engine knows is stale, or newer was refused
    folder      which edition of clamd's database lies in its folder
    proof       one daemon reloads, and shows that it did, and can be trusted
    farm        whose turn it is in a group of replicas, who serves, what broke a daemon
    duties      which daemons are chosen meanwhile
    presence    the group is told whether we serve
    roll        when which daemon reloads

YARA's rules are the engine's own to follow (``engines/yara_live``): nothing is shared there.
"""
