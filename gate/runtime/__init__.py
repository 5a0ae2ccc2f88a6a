"""Attempts and the latch in time: the event loop, the runner and the board.

The runner makes the attempts and hands their results to the board, which owns the latch and wakes
whoever waits for a change. No check, log or endpoint is known here.
"""
