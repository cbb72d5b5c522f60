"""From [destination] to a way of finding destinations."""

from pathlib import Path
from typing import Any

import pytest

from edge_proxy.destination_settings import DestinationSettings
from edge_proxy.interception.choose import choose_interception
from edge_proxy.interception.fixed import Fixed
from edge_proxy.interception.getsockname import Getsockname
from edge_proxy.interception.ident import Ident
from edge_proxy.interception.no_loop import NoLoop
from edge_proxy.interception.proxy_helper import ProxyHelper
from edge_proxy.interception.proxy_protocol import ProxyProtocol
from edge_proxy.interception.redirect import Redirect
from edge_proxy.interception.tproxy import Tproxy
from service_kit.errors import ConfigError, StartError

PEERS = {"peers": ["192.0.2.0/24"]}


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        ({"mode": "fixed", "server": "mx.example:25"}, Fixed),
        ({"mode": "fixed", "server": "mx.example:25", "proxy_protocol": PEERS}, ProxyProtocol),
        ({"mode": "redirect"}, Redirect),
        ({"mode": "tproxy"}, Tproxy),
        ({"mode": "getsockname"}, Getsockname),
        ({"mode": "ident", "ident": PEERS}, Ident),
        ({"mode": "proxy-helper", "proxy_helper": PEERS}, ProxyHelper),
        ({"mode": "proxy-protocol", "proxy_protocol": PEERS}, ProxyProtocol),
    ],
)
def test_each_mode_has_its_way_and_none_loops(table: dict[str, Any], kind: type) -> None:
    chosen = choose_interception(DestinationSettings.model_validate(table), ())
    assert isinstance(chosen, NoLoop)
    assert type(chosen.inner) is kind


@pytest.mark.parametrize(("mode", "systems"), [("pf", "freebsd"), ("ipfilter", "netbsd")])
def test_a_mode_of_another_system_cannot_start(mode: str, systems: str) -> None:
    settings = DestinationSettings.model_validate({"mode": mode})
    with pytest.raises(StartError, match=rf"destination.mode = {mode} needs .*{systems}"):
        choose_interception(settings, ())


def test_a_secret_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    table = {**PEERS, "secret_file": tmp_path / "absent"}
    settings = DestinationSettings.model_validate({"mode": "proxy-helper", "proxy_helper": table})
    with pytest.raises(ConfigError, match=r"destination.proxy_helper.secret_file = .*No such file"):
        choose_interception(settings, ())
