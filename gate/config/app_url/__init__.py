"""What an app's own variables name, in the forms that apps write, as gate's dependencies.

`guess` says by their names which variables name dependencies; `translate` turns the value of one
into what stands in `GATE_DEPENDENCIES`. Neither reads anything, and no error shows a value.
"""

from gate.config.app_url.named import Named, guess, kind_of, pairs
from gate.config.app_url.parts import NoDependency
from gate.config.app_url.translation import port_of, translate

__all__ = ["Named", "NoDependency", "guess", "kind_of", "pairs", "port_of", "translate"]
