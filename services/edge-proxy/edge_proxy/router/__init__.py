"""What the edge has to do with the router it runs on, apart from sessions.

``rules`` and ``policy_routes`` write what brings customers' connections to the edge;
``preflight`` says what of it, or of what the edge needs, is missing; ``proxy_helper_daemon`` is
for a router whose edge is elsewhere. ``verbs`` makes commands of them.
"""
