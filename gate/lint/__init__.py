"""`gate lint`: finds in manifests what will not start, or in the wrong order, or unheld.

It needs no cluster, and no gate in the manifest. PyYAML is the extra `podgate[lint]`.
"""

from gate.lint.run import Report, lint

__all__ = ["Report", "lint"]
