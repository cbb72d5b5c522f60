"""A container engine of the tests' own, and the project's images in it.

Debian's dockerd runs with everything it keeps in ``.tools/containers``, so a second run finds its
images. No registry is asked: what the Dockerfiles begin with is made from Debian packages and given
the names that they use. Needs root, Linux and the packages of ``make deps``.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.needs import need_linux, need_program, need_root

ROOT: Final = Path(__file__).resolve().parent.parent.parent
_PLACE: Final = ROOT / ".tools" / "containers"
_BASES: Final = ("python:3.11-slim-bookworm", "debian:bookworm-slim")
_VALKEY: Final = "valkey/valkey:8.1-bookworm"
_WATCHERS: Final = {
    "prom/prometheus:v2.55.1": "prometheus",
    "prom/alertmanager:v0.27.0": "prometheus-alertmanager",
}
_BUNDLE: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_FORWARDING: Final = Path("/proc/sys/net/ipv4/ip_forward")
_BRIDGE: Final = Path("/sys/class/net/docker0")
_UP_WITHIN_S: Final = 60.0
_COMMAND_S: Final = 600.0
IMAGES: Final[Mapping[str, Sequence[str]]] = {
    "edge-proxy": ("-f", "services/edge-proxy/Dockerfile", "."),
    "router": ("-f", "services/edge-proxy/Dockerfile", "--target", "router", "."),
    "scanner": ("-f", "services/scanner/Dockerfile", "."),
    "policy": ("-f", "services/policy/Dockerfile", "."),
    "lab": ("-f", "libs/lab/Dockerfile", "."),
    "clamd": ("deploy/images/clamd",),
    "spamd": ("deploy/images/spamd",),
}
"""The project's images, and what ``docker build`` is given for each."""
VERSION: Final = "0.1.0"


@dataclass(frozen=True, slots=True)
class Engine:
    """A running dockerd; ``environment`` brings its client to it."""

    environment: Mapping[str, str]

    def docker(self, *words: str, within_s: float = _COMMAND_S) -> str:
        """What it prints. CalledProcessError with all of it when it fails."""
        done = subprocess.run(
            ["docker", *words],
            cwd=ROOT,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=within_s,
            check=False,
        )
        if done.returncode != 0:
            said = f"{done.stdout}\n(exit {done.returncode})"
            raise AssertionError(f"docker {' '.join(words)}:\n{said}")
        return done.stdout

    def has(self, image: str) -> bool:
        return bool(self.docker("images", "-q", image).strip())

    def described(self, image: str) -> Mapping[str, object]:
        """``docker inspect`` of an image."""
        (description,) = json.loads(self.docker("inspect", image))
        assert isinstance(description, dict)
        return description

    def build(self, name: str) -> None:
        """One of IMAGES, from the checkout as it is."""
        self.docker("build", "-q", "-t", f"smtp-gated/{name}:{VERSION}", *IMAGES[name])


@contextmanager
def engine_running() -> Iterator[Engine]:
    """Of its own; or the one that the environment's SMTPGATED_DOCKER_HOST names, left as it is."""
    if host := os.environ.get("SMTPGATED_DOCKER_HOST"):
        engine = Engine(_environment(host))
        _make_bases(engine)
        yield engine
    else:
        with _own_engine() as engine:
            yield engine


@contextmanager
def _own_engine() -> Iterator[Engine]:
    need_linux("a container engine")
    need_root("a container engine")
    for program, package in (
        ("dockerd", "docker.io"),
        ("debootstrap", "debootstrap"),
        ("nft", "nftables"),
    ):
        need_program(program, package)
    _PLACE.mkdir(parents=True, exist_ok=True)
    before = _Network.now()
    pid_file = _PLACE / "dockerd.pid"
    pid_file.unlink(missing_ok=True)
    with (_PLACE / "dockerd.log").open("wb") as log:
        daemon = subprocess.Popen(
            [
                "dockerd",
                f"--data-root={_PLACE / 'images'}",
                f"--exec-root={_PLACE / 'running'}",
                f"--pidfile={pid_file}",
                f"--host=unix://{_socket()}",
            ],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        engine = Engine(_environment(f"unix://{_socket()}"))
        _wait_until_up(engine, daemon)
        _make_bases(engine)
        yield engine
    finally:
        daemon.terminate()
        daemon.wait(30)
        before.restore()
        _socket().unlink(missing_ok=True)


def _socket() -> Path:
    """Short: a checkout's path may be longer than a socket's is allowed to be."""
    return Path(f"/run/smtpgated-tests-{os.getpid()}.sock")


def _environment(host: str) -> dict[str, str]:
    """With the compose plugin that PyPI has."""
    plugins = _PLACE / "client" / "cli-plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    plugin = plugins / "docker-compose"
    ours = Path(sys.executable).parent / "docker-compose"
    if not plugin.is_symlink() or plugin.readlink() != ours:
        plugin.unlink(missing_ok=True)
        plugin.symlink_to(ours)
    return {
        **os.environ,
        "DOCKER_HOST": host,
        "DOCKER_CONFIG": str(_PLACE / "client"),
        "DOCKER_BUILDKIT": "0",
    }


def _wait_until_up(engine: Engine, daemon: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _UP_WITHIN_S
    while True:
        try:
            engine.docker("version")
        except AssertionError as failure:
            log = (_PLACE / "dockerd.log").read_text(errors="replace")[-2000:]
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"dockerd does not come up:\n{log}") from failure
            time.sleep(0.2)
        else:
            return


def _make_bases(engine: Engine) -> None:
    """What the Dockerfiles begin with, once. It trusts whom this machine trusts, for pip."""
    if not all(engine.has(name) for name in _BASES):
        _make_base(engine)
    if not all(engine.has(name) for name in (_VALKEY, *_WATCHERS)):
        _make_others(engine)


def _make_base(engine: Engine) -> None:
    tree = _PLACE / "rootfs"
    shutil.rmtree(tree, ignore_errors=True)
    packages = "python3,python3-pip,python3-venv,ca-certificates"
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={packages}", "bookworm", tree, _mirror()],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=_COMMAND_S,
    )
    for folder in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(tree / folder, ignore_errors=True)
        (tree / folder / "partial").mkdir(parents=True)
    (tree / "usr/bin/python").symlink_to("python3")
    for marker in tree.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        marker.unlink()
    if _BUNDLE.exists():
        shutil.copy(_BUNDLE, tree / str(_BUNDLE).removeprefix("/"))
    archive = _PLACE / "rootfs.tar"
    subprocess.run(
        ["tar", "-C", tree, "--numeric-owner", "--xattrs", "-cf", archive, "."], check=True
    )
    changes = [
        f"ENV {name}={_BUNDLE}" for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    ]
    changes += ["ENV LANG=C.UTF-8", 'CMD ["python3"]']
    options = [word for change in changes for word in ("-c", change)]
    engine.docker("import", *options, str(archive), _BASES[0])
    engine.docker("tag", *_BASES)
    archive.unlink()
    shutil.rmtree(tree)


def _make_others(engine: Engine) -> None:
    """Debian's Redis 7 under Valkey's names, the release that both come from; and its Prometheus
    and Alertmanager, older ones than are named."""
    folder = _PLACE / "valkey"
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(
        "FROM debian:bookworm-slim\n"
        "RUN apt-get update && apt-get install -y --no-install-recommends redis-server"
        " && ln -s /usr/bin/redis-server /usr/local/bin/valkey-server"
        " && ln -s /usr/bin/redis-cli /usr/local/bin/valkey-cli\n"
    )
    engine.docker("build", "-q", "-t", _VALKEY, str(folder))
    for image, package in _WATCHERS.items():
        folder = _PLACE / package
        folder.mkdir(exist_ok=True)
        (folder / "Dockerfile").write_text(
            "FROM debian:bookworm-slim\n"
            f"RUN apt-get update && apt-get install -y --no-install-recommends {package}\n"
            f'ENTRYPOINT ["/usr/bin/{package}"]\n'
        )
        engine.docker("build", "-q", "-t", image, str(folder))


def _mirror() -> str:
    """The one that this machine's own Debian packages come from."""
    which = ("Created-By: Packages", "Codename: bookworm", "Component: main")
    told = subprocess.run(
        ["apt-get", "indextargets", "--format=$(REPO_URI)", *which],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout, "apt knows no mirror of bookworm"
    return told.stdout.split()[0]


@dataclass(frozen=True, slots=True)
class _Network:
    """What dockerd changes of this machine's network, and leaves changed."""

    forwarding: str
    tables: frozenset[str]
    bridge: bool

    @classmethod
    def now(cls) -> "_Network":
        listed = subprocess.run(
            ["nft", "list", "tables"], capture_output=True, text=True, check=True
        )
        return cls(
            _FORWARDING.read_text(encoding="ascii"),
            frozenset(listed.stdout.splitlines()),
            _BRIDGE.exists(),
        )

    def restore(self) -> None:
        """Only what was not there before goes."""
        for table in sorted(self.now().tables - self.tables):
            subprocess.run(["nft", "delete", *table.split()], check=True)
        if not self.bridge and _BRIDGE.exists():
            subprocess.run(["ip", "link", "del", _BRIDGE.name], check=True)
        _FORWARDING.write_text(self.forwarding, encoding="ascii")
