"""What manifests say: documents, pods and containers, and what their scripts wait for.

The commands that read manifests (lint, inject) share it. It judges nothing.
"""
