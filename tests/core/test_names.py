from __future__ import annotations

from gate.core.names import ANNOTATION_PREFIX, IMAGE_VARIABLE, annotation


def test_an_annotation_is_gate_s_own() -> None:
    assert annotation("dependencies") == f"{ANNOTATION_PREFIX}/dependencies"
    assert "." in ANNOTATION_PREFIX


def test_the_image_is_named_by_a_variable_of_gate() -> None:
    assert IMAGE_VARIABLE == "GATE_IMAGE"
