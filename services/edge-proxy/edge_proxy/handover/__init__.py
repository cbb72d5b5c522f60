"""How an edge comes by its doors, and how it leaves them to the edge after it.

*Doors* are the sockets that others come to: those where customers' sessions arrive, the one of
the status page, and the one where a successor knocks. The process that was started owns them
(with several workers that is the supervisor), and a socket that is wanted is never closed and
bound again: a closed listener resets every connection in its queue.

Doors come, in this order, from

1. a *predecessor*: an edge that runs already and answers at ``[listen] handover``. It gives
   descriptors of its doors away and goes on as before. When the successor has seen the rulebook
   it says so; only then the predecessor stops accepting and drains. If the successor ends
   before that, nothing has happened;
2. the service manager (systemd's socket activation), which keeps them over restarts;
3. the kernel: bound here.

``doors`` is the value and the sorting; ``environment`` what was inherited at the start;
``messages`` the words between two edges; ``successor`` and ``predecessor`` the two roles;
``succession`` plays both for one process, one after the other; ``upgrade`` starts a successor.
"""
