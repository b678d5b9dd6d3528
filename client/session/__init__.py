"""Pure decisions of the client: inputs in, effects out; no sockets, clocks, sleeps or files.

Every method that takes `now` takes the monotonic clock in seconds; `wall` is milliseconds since 1970-01-01 UTC.
"""
