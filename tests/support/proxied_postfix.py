"""A Postfix whose every client must begin with a PROXY header."""

from tests.support.postfix import Postfix

_MORE = """
smtpd_upstream_proxy_protocol = haproxy
smtpd_upstream_proxy_timeout = 1s
"""


class ProxiedPostfix(Postfix):
    def _configure(self) -> None:
        super()._configure()
        with (self._folder / "etc" / "main.cf").open("a") as main_cf:
            main_cf.write(_MORE)
