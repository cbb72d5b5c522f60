"""A real Postfix of our own on a free port: what it stored can be read octet by octet.

It is an instance beside the system's one: configuration, queue and mailbox lie in a folder
that goes when it stops. Postfix needs root: see ``tests.support.needs``.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final, Literal, Self

from lab.certificates import Authority
from lab.children import Child
from lab.ports import free_port
from service_kit.addresses import HostPort
from tests.support.eventually import eventually
from tests.support.needs import need_program, need_root
from tests.support.processes import until

BareNewline = Literal["no", "normalize", "reject"]
"""smtpd_forbid_bare_newline: ``no`` ends content at LF.LF too, ``normalize`` ends it at the RFC's
terminator alone and reads any LF within as a line end, ``reject`` refuses bare newlines."""

DOMAIN: Final = "far.example"

_MAIN_CF: Final = """
compatibility_level = 3.6
config_directory = {folder}/etc
queue_directory = {folder}/queue
data_directory = {folder}/lib
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
myhostname = postfix.example
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
local_header_rewrite_clients =
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_forbid_bare_newline = {bare_newline}
smtpd_forbid_bare_newline_exclusions =
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_cert_file = {folder}/etc/certificate.pem
smtpd_tls_key_file = {folder}/etc/key.pem
message_size_limit = 104857600
mailbox_size_limit = 0
virtual_mailbox_limit = 0
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:box/
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
"""

_MASTER_CF: Final = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix n - n -   0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n -   - trivial-rewrite
bounce    unix - - n -   0 bounce
defer     unix - - n -   0 bounce
trace     unix - - n -   0 bounce
verify    unix - - n -   1 verify
proxymap  unix - - n -   - proxymap
smtp      unix - - n -   - smtp
error     unix - - n -   - error
retry     unix - - n -   - error
virtual   unix - n n -   - virtual
anvil     unix - - n -   1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Runs while it is entered."""

    def __init__(self, bare_newline: BareNewline) -> None:
        self.bare_newline: Final = bare_newline
        self.authority: Final = Authority("127.0.0.1", "localhost")
        self.authority_file: Path
        self.address = HostPort("127.0.0.1", 0)
        self._folder: Path
        self._master: Child

    def __enter__(self) -> Self:
        need_program("postfix", "postfix")
        need_root("Postfix")
        # Not pytest's folder: Postfix's own user could not come through it.
        self._folder = Path(tempfile.mkdtemp(prefix="smtpgated-postfix-"))
        self.address = free_port("127.0.0.1")
        self._configure()
        etc = str(self._folder / "etc")
        # ``check`` makes what is missing under the queue; the master itself is then our child
        # (``postfix start-fg`` would leave it to a shell that does not pass signals on).
        subprocess.run(("postfix", "-c", etc, "check"), check=True)
        command = ("/usr/lib/postfix/sbin/master", "-c", etc, "-s")
        self._master = Child("postfix", command, self._folder / "master.log")
        until(self._is_up)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._master.terminate()
        try:
            until(lambda: self._master.exit_code is not None)
        finally:
            self._master.kill()
            shutil.rmtree(self._folder)

    def messages(self) -> list[bytes]:
        """Everything delivered, in the order of delivery: trace headers, then what was sent,
        with LF for CRLF, as Postfix keeps it."""
        delivered = (self._folder / "mail" / "box" / "new").glob("*")
        return [each.read_bytes() for each in sorted(delivered, key=lambda f: f.stat().st_mtime_ns)]

    async def stored(self, first_line: bytes) -> bytes:
        """The message whose own first line this is, from there on, as it came: CRLF again."""

        def found() -> list[bytes]:
            return [each for each in self.messages() if b"\n" + first_line + b"\n" in each]

        await eventually(found)
        (message,) = found()
        return message[message.index(b"\n" + first_line) + 1 :].replace(b"\n", b"\r\n")

    def is_idle(self) -> bool:
        """Whether everything that was accepted has been delivered."""
        queue = self._folder / "queue"
        # In the order in which a message travels, so that none is missed on its way.
        return not any(
            each.is_file()
            for name in ("maildrop", "incoming", "active", "deferred")
            for each in (queue / name).rglob("*")
        )

    def log(self) -> str:
        """What it said."""
        return (self._folder / "mail.log").read_text(encoding="utf-8", errors="replace")

    def _is_up(self) -> bool:
        if self._master.exit_code is not None:
            raise AssertionError(f"Postfix {self._master.how_it_ended}: {self._master.log_tail()}")
        log = self._folder / "mail.log"
        return log.exists() and "daemon started" in self.log()

    def _configure(self) -> None:
        nobody = pwd.getpwnam("nobody")
        self._folder.chmod(0o755)
        for name in ("etc", "queue", "lib", "mail"):
            (self._folder / name).mkdir()
        postfix = pwd.getpwnam("postfix")
        os.chown(self._folder / "lib", postfix.pw_uid, postfix.pw_gid)
        os.chown(self._folder / "mail", nobody.pw_uid, nobody.pw_gid)
        etc = self._folder / "etc"
        self.authority_file = self.authority.write(etc).authority
        (etc / "main.cf").write_text(
            _MAIN_CF.format(
                folder=self._folder,
                bare_newline=self.bare_newline,
                domain=DOMAIN,
                uid=nobody.pw_uid,
                gid=nobody.pw_gid,
            )
        )
        (etc / "master.cf").write_text(_MASTER_CF.format(port=self.address.port))
