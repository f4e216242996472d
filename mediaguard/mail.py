"""Mail to staff, over a server that the school names."""

import contextlib
import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from mediaguard.config import Mail
from mediaguard.errors import ChannelError
from mediaguard.texts import printable

TIMEOUT = 30.0
"""Seconds for a connection, and for each time that the server is silent."""

_LONGEST_SUBJECT = 200


def send(mail: Mail, password: str | None, *, subject: str, text: str) -> tuple[str, ...]:
    """Send one mail to everybody named in the configuration.

    With ``starttls`` and ``tls`` nothing is said to a server that cannot prove that it is the one
    that is meant.

    Args:
        mail: the server, the sender and the recipients.
        password: of the user at the server, if there is one.
        subject: of the mail, one line.
        text: of the mail.

    Returns:
        Whom the server refused while it accepted the mail for others.

    Raises:
        ChannelError: nobody got it.
    """
    message = _composed(mail, subject, text)
    try:
        with _connected(mail) as server:
            if mail.user is not None:
                server.login(mail.user, password or "")
            return tuple(server.send_message(message))
    except (OSError, ValueError) as error:
        # What the server says may repeat what it was told: not chained.
        raise _failed(mail, _detail(error)) from None


@contextmanager
def _connected(mail: Mail) -> Iterator[smtplib.SMTP]:
    context = ssl.create_default_context()
    server = (
        smtplib.SMTP_SSL(mail.server, mail.port, timeout=TIMEOUT, context=context)
        if mail.encryption == "tls"
        else smtplib.SMTP(mail.server, mail.port, timeout=TIMEOUT)
    )
    try:
        if mail.encryption == "starttls":
            server.starttls(context=context)
        yield server
        with contextlib.suppress(OSError):  # the mail is accepted, however the server takes leave
            server.quit()
    finally:
        server.close()


def _composed(mail: Mail, subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    try:
        message["Subject"] = printable(subject)[:_LONGEST_SUBJECT]  # a newline would begin a header
        message["From"] = mail.sender
        message["To"] = ", ".join(mail.recipients)
        [sender] = message["From"].addresses
        [_, *_] = recipients = message["To"].addresses
        if not all(one.username and one.domain for one in (sender, *recipients)):
            raise ValueError  # noqa: TRY301
        # With the sender's domain: the name of this machine is nobody's business.
        message["Message-ID"] = make_msgid(domain=sender.domain)
        message["Date"] = formatdate()
        message["Auto-Submitted"] = "auto-generated"  # no absence notes in answer
        # Pure ASCII on the wire: not every server takes anything else.
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
        message.set_content(text, cte="quoted-printable")
        message.as_bytes()
    except Exception:
        raise _failed(mail, "sender, recipients") from None
    return message


def _failed(mail: Mail, detail: str) -> ChannelError:
    return ChannelError("mail-failed", server=f"{mail.server}:{mail.port}", detail=detail)


def _detail(error: Exception) -> str:
    """Why, without anything that was sent: of what the server says only the numbers."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({_numbers(code, told) for code, told in error.recipients.values()})
        return f"recipients refused: {', '.join(codes)}"
    if isinstance(error, smtplib.SMTPResponseException):
        name = type(error).__name__.removeprefix("SMTP").removesuffix("Error")
        return f"{name}: {_numbers(error.smtp_code, error.smtp_error)}"
    if isinstance(error, smtplib.SMTPException):
        return str(error)  # a fixed sentence of the library
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return type(error).__name__


def _numbers(code: int, told: bytes | str) -> str:
    """As ``535 5.7.8``: the second is the reason in full, as RFC 3463 lists it."""
    text = told.decode("ascii", "replace") if isinstance(told, bytes) else told
    reason = re.match(r"\d\.\d{1,3}\.\d{1,3}\b", text)
    return f"{code} {reason[0]}" if reason else str(code)
