"""What gate says of where it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.report import pod_identity

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_namespace_is_that_of_the_mounted_service_account(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mounted = tmp_path / "namespace"
    mounted.write_text("shop\n")
    monkeypatch.setattr(pod_identity, "_NAMESPACE", str(mounted))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("POD_NAME", "web-0")
    monkeypatch.delenv("POD_NAMESPACE", raising=False)

    asked = pod_identity.how_to_ask(4283)

    assert asked == "kubectl get --raw /api/v1/namespaces/shop/pods/web-0:4283/proxy/status"


def test_outside_a_cluster_there_is_nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    assert pod_identity.how_to_ask(4283) == ""
