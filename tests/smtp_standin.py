"""A mail server on this machine that holds real conversations, and misbehaves on demand."""

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path


@dataclass(frozen=True)
class Mail:
    """One that was accepted."""

    sender: str
    recipients: list[str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        return BytesParser(policy=policy.default).parsebytes(self.raw)

    @property
    def text(self) -> str:
        return self.message.get_content().replace("\r\n", "\n")


@dataclass
class SmtpStandin:
    """What it does is set from outside, also while it runs.

    Attributes:
        user, password: those it knows; it offers AUTH if there are any.
        refused: recipients that it does not take.
        answers: by verb, answers that it gives instead of its own; None drops the connection.
        certificate: for TLS, a file with certificate and key.
        tls_at_once: speaks TLS from the first byte, not after STARTTLS.
    """

    user: str | None = None
    password: str | None = None
    refused: set[str] = field(default_factory=set)
    answers: dict[str, str | None] = field(default_factory=dict)
    certificate: Path | None = None
    tls_at_once: bool = False
    port: int = 0
    lines: list[str] = field(default_factory=list)
    clear: list[str] = field(default_factory=list)
    """Those of `lines` that anybody on the way could read."""
    mails: list[Mail] = field(default_factory=list)

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        return context


@contextmanager
def running(**how: object) -> Iterator[SmtpStandin]:
    standin = SmtpStandin(**how)

    class Handler(_Conversation):
        pass

    Handler.standin = standin
    socketserver.ThreadingTCPServer.daemon_threads = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        standin.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield standin
        finally:
            server.shutdown()
            thread.join()


class _Conversation(socketserver.BaseRequestHandler):
    standin: SmtpStandin

    def handle(self) -> None:
        try:
            self._talk()
        except OSError:
            pass  # the other side left
        finally:
            self.request.close()

    def _talk(self) -> None:
        standin = self.standin
        self.is_secret = False
        if standin.certificate and standin.tls_at_once:
            self._encrypt()
        self.file = self.request.makefile("rb")
        sender, recipients = "", []
        if not self._say("", "220 standin"):
            return
        while line := self.file.readline():
            command = line.decode().rstrip("\r\n")
            standin.lines.append(command)
            if not self.is_secret:
                standin.clear.append(command)
            verb, _, rest = command.partition(" ")
            verb = verb.upper()
            answer = {"EHLO": self._offers(), "QUIT": "221 bye"}.get(verb, "250 fine")
            if verb == "STARTTLS":
                answer = "220 go" if standin.certificate else "502 unknown"
            elif verb == "AUTH":
                answer = self._login(rest)
            elif verb == "MAIL":
                sender = _address(rest)
            elif verb == "RCPT":
                address = _address(rest)
                if address in standin.refused:
                    answer = f"550 5.1.1 <{address}> unknown"
                else:
                    recipients.append(address)
            elif verb == "DATA":
                answer = "354 go on"
            if not self._say(verb, answer) or verb == "QUIT":
                return
            if verb == "STARTTLS" and answer.startswith("220"):
                self._encrypt()
                self.file = self.request.makefile("rb")
            if verb == "DATA" and "DATA" not in standin.answers:
                raw = self._content()
                if not self._say("CONTENT", "250 accepted"):
                    return
                if "CONTENT" not in standin.answers:
                    standin.mails.append(Mail(sender, recipients, raw))

    def _say(self, verb: str, answer: str) -> bool:
        answer = self.standin.answers.get(verb, answer)
        if answer is None:
            return False
        self.request.sendall(answer.encode() + b"\r\n")
        return True

    def _offers(self) -> str:
        offers = ["standin"]
        if self.standin.certificate and not self.is_secret:
            offers.append("STARTTLS")
        if self.standin.user:
            offers.append("AUTH PLAIN")
        return "\r\n".join([*(f"250-{one}" for one in offers), "250 HELP"])

    def _login(self, rest: str) -> str:
        _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
        if (user, password) == (self.standin.user, self.standin.password):
            return "235 2.7.0 welcome"
        return f"535 5.7.8 wrong: {rest} {user} {password}"  # a server that blabs

    def _content(self) -> bytes:
        lines = []
        while (line := self.file.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def _encrypt(self) -> None:
        self.request = self.standin.context().wrap_socket(self.request, server_side=True)
        self.is_secret = True


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
