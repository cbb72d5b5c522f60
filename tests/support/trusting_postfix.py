"""A Postfix that lets whoever comes from loopback say by XCLIENT who the client is."""

from tests.support.postfix import Postfix

_MORE = """
smtpd_authorized_xclient_hosts = 127.0.0.0/8
"""


class TrustingPostfix(Postfix):
    def _configure(self) -> None:
        super()._configure()
        with (self._folder / "etc" / "main.cf").open("a") as main_cf:
            main_cf.write(_MORE)
