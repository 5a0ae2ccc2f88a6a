"""gate holds a Kubernetes app back until everything it depends on is ready.

Nothing is imported here: `gate probe` pays for every import at each probe.
"""

__version__ = "0.1.0"
DISTRIBUTION = "podgate"
"""The name on PyPI: `gate` is another project's there."""
