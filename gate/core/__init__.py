"""When the gate opens: values, the latch, the state of one dependency, backoff.

Nothing here does I/O, reads a clock or the environment, or starts a task: time and randomness are
arguments. Every other wing may import this one; it imports none.
"""
