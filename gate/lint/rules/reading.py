"""What is wrong with the text itself, found while it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule

if TYPE_CHECKING:
    from gate.pods.pod import Pod


@rule("yaml", Severity.ERROR)
def YAML(_pod: Pod) -> Hits:  # noqa: N802 -- a constant, made by the decorator
    """Part of the input cannot be read.

    The document is not YAML, is an unrendered template, or is nested deeper than any manifest.
    Nothing else is said of that document, and the exit code is 2. Remedy: correct the line that
    is named; render a template first (`helm template … | gate lint -`, `kustomize build … | gate
    lint -`). It can be neither ignored nor silenced.
    """
    return iter(())


@rule("duplicate-key", Severity.ERROR)
def DUPLICATE_KEY(_pod: Pod) -> Hits:  # noqa: N802 -- the same
    """A key is written twice in one mapping.

    Kubernetes keeps the last of the two and, depending on the client, refuses the manifest or
    only warns: a second `env:` or `startupProbe:` silently replaces the first. Remedy: remove
    one, or merge the two.
    """
    return iter(())


@rule("wrong-type", Severity.ERROR)
def WRONG_TYPE(_pod: Pod) -> Hits:  # noqa: N802 -- the same
    """A field has a value of the wrong type.

    The API server refuses the whole object: a variable's value that is a number or a bare `on`,
    an argument that is a number, a list that is a mapping. Remedy: what is meant as a text is
    written in quotes: `value: "60"`.
    """
    return iter(())


@rule("silence", Severity.WARNING)
def SILENCE(_pod: Pod) -> Hits:  # noqa: N802 -- the same
    """A silence has no reason, or silences nothing.

    `# gate-lint: ignore=RULE the reason` on the line of a finding, or above it, silences that
    rule there; the annotation `gate-lint/ignore.RULE: the reason`, in the metadata of a pod or of
    its workload, does so for the pod, but for what is wrong with the text itself (`wrong-type`,
    `duplicate-key`, `no-image`). Without a reason it does not count: in a year nobody would know
    whether it still holds. Remedy: write why, and spell the rule as `--explain all` does.
    """
    return iter(())


@rule("no-image", Severity.INFO)
def NO_IMAGE(_pod: Pod) -> Hits:  # noqa: N802 -- the same
    """A container beside others has no image, so that its pod was not looked at.

    Such a pod is taken for a patch of one, or for what an operator fills in: what it lacks may
    stand elsewhere. Otherwise the API server refuses it. Remedy: give the container an image; of
    a patch, look at what is rendered (`kustomize build … | gate lint -`).
    """
    return iter(())


RULES = (YAML, DUPLICATE_KEY, WRONG_TYPE, NO_IMAGE, SILENCE)
