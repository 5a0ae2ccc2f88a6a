"""Changes in manifests: made in the text, so that every other line stays as it was.

The commands that write manifests (inject, lint --fix) share it.
"""
