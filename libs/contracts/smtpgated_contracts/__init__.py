"""What the services say to each other, as plain values and as wire messages.

``values`` holds frozen values that every floor may use; it imports nothing but the
standard library. ``marshalling`` is the only place where those values meet the generated
protobuf types; its ``*_from_wire`` side validates. The generated code (package
``smtpgated``, built by ``make proto``) is never imported by a core.
"""
