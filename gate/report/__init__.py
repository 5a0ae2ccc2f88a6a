"""What people and machines are told: log, text, status, metrics, page, trace, pod events.

Everything here reads snapshots of the board and changes nothing.
"""
