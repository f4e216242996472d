"""How somebody signs in, and what they may change of their own account.

Whatever is wrong with a login and a password, the answer is the same and takes as long.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mediaguard.errors import InputError
from mediaguard.store import passwords
from mediaguard.store.attempts import ACCOUNT, ADDRESS, Attempts, Limit
from mediaguard.store.audit import Audit
from mediaguard.store.database import Database
from mediaguard.store.keys import Keyring
from mediaguard.store.second_factor import (
    new_recovery_codes,
    new_secret,
    secret_text,
    step_of,
    without_code,
)
from mediaguard.store.sessions import Sessions, UserSession, next_step
from mediaguard.store.tables import SignInLinkRow, UserRow, UserSessionRow
from mediaguard.store.user_desk import LINK_PURPOSE
from mediaguard.store.users import Users, as_user, end_sessions, valid_language

NOBODY = "nobody"
"""Who failed to sign in, in the audit log: it may be anybody."""


class Device(NamedTuple):
    """A device on which somebody signed in before, to the end; `name` is random."""

    user_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a sign-in comes from.

    Attributes:
        address: of the network.
        browser: roughly which.
        device: which, if it is known: strangers cannot keep its user out.
    """

    address: str
    browser: str
    device: Device | None = None


class Entrance:
    """Lets people in.

    Args:
        database: where accounts are.
        keyring: of the home.
        now: the clock.
        sessions: where sessions begin.
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        now: Callable[[], datetime],
        sessions: Sessions,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._now = now
        self._sessions = sessions
        self._attempts = Attempts(database, keyring, now)

    def with_password(self, login: str, password: str, caller: Caller) -> tuple[str, str]:
        """Sign in; what is left to do says the session.

        Returns:
            The login as it is stored, and the token of the session.

        Raises:
            InputError: it is not right, or too often was not.
        """
        limits = self._limits("account", login.strip().lower()[:200], caller)
        self._begin(limits)
        with self._database.read() as session:
            row = Users(session).row(login)
        right = passwords.is_password(password, None if row is None else row.password_hash)
        if row is None or not right or row.disabled_at is not None:
            self._failed("password", None if row is None else row.user_id)
            raise InputError("sign-in-refused")
        self._attempts.succeeded(limits)
        anew = None
        if row.password_hash and passwords.is_outdated(row.password_hash):
            anew = passwords.hash_password(password)
        with self._database.write() as session:
            account = self._account(session, row.user_id)
            if account.password_hash != row.password_hash:  # changed this very moment
                raise InputError("sign-in-refused")
            account.password_hash = anew or account.password_hash
            return row.user_id, self._open(session, account, caller, "password")

    def with_school_account(self, digest: str, caller: Caller, *, mfa: bool) -> tuple[str, str]:
        """Sign in somebody whom the school's own accounts vouch for.

        Args:
            digest: by `mediaguard.store.users.school_account`.
            caller: where from.
            mfa: they were asked for a second factor there.

        Raises:
            InputError: nobody here has that account.
        """
        with self._database.write() as session:
            row = Users(session).by_school_account(digest)
            if row is not None and row.disabled_at is None:
                account = self._account(session, row.user_id)
                token = self._open(session, account, caller, "school-account", second_factor=mfa)
                return account.user_id, token
        self._failed("school-account", None if row is None else row.user_id)
        raise InputError("sign-in-school-unknown")

    def with_link(self, token: str, caller: Caller) -> tuple[str, str]:
        """Sign in by a link that was handed out.

        Raises:
            InputError: it was used, is too old, or never was.
        """
        with self._database.write() as session:
            link = session.get(
                SignInLinkRow, self._keyring.digest(LINK_PURPOSE, token), with_for_update=True
            )
            if link is None or link.used_at is not None or link.expires_at < self._now():
                raise InputError("sign-in-link-over")
            link.used_at = self._now()
            account = self._account(session, link.user_id)
            opened = self._open(
                session,
                account,
                caller,
                "link",
                second_factor=link.complete,
                password_due=not link.complete,
            )
            return account.user_id, opened

    def give_code(self, current: UserSession, code: str, caller: Caller) -> str:
        """The second factor: a code of the app, or one of those on paper.

        Returns:
            The token under which the session goes on.

        Raises:
            InputError: it is not right, was used, or too often was not right.
        """
        user_id = current.user.user_id
        limits = self._limits("code", user_id, caller)
        self._begin(limits)
        with self._database.write() as session:
            row = self._account(session, user_id)
            used = self._use_code(row, code)
            if used is not None:
                token = self._sessions.renew(session, current, second_factor=True)
                self._entered(session, row, used, True, current.password_due)
        if used is None:
            self._failed("code", user_id)
            raise InputError("sign-in-code-wrong")
        self._attempts.succeeded(limits)
        return token

    # -- one's own account --------------------------------------------------------------------

    def choose_password(self, current: UserSession, password: str) -> str:
        """The password that was due; every other session and link ends.

        Returns:
            The token under which the session goes on.

        Raises:
            InputError: it is guessed too soon.
        """
        user_id = current.user.user_id
        passwords.require_good(password, user_id)
        hashed = passwords.hash_password(password)
        with self._database.write() as session:
            row = self._account(session, user_id)
            row.password_hash = hashed
            token = self._sessions.renew(session, current, password_due=False)
            end_sessions(session, user_id, but=[self._sessions.digest(token)])
            self._record(session, "user-password-set", user_id)
            if current.password_due:
                self._entered(session, row, "link", current.second_factor, False)
        return token

    def change_password(
        self, current: UserSession, before: str, password: str, caller: Caller
    ) -> str:
        """Another password, by whoever knows the one before.

        Raises:
            InputError: that is not right, or the new one is guessed too soon.
        """
        self.require_password(current, before, caller)
        return self.choose_password(current, password)

    def require_password(self, current: UserSession, password: str, caller: Caller) -> None:
        """Make sure that nobody else sits before the screen.

        Raises:
            InputError: it is not the password.
        """
        user_id = current.user.user_id
        with self._database.read() as session:
            stored = Users(session).known(user_id).password_hash
        if stored is None:  # the school's own accounts vouch for them
            return
        limits = self._limits("account", user_id, caller)
        self._begin(limits)
        if not passwords.is_password(password, stored):
            self._failed("password", user_id)
            raise InputError("account-password-wrong")
        self._attempts.succeeded(limits)

    def pending_secret(self, current: UserSession, *, anew: bool = False) -> str:
        """The secret of a second factor that is being set up, as it is typed into an app."""
        user_id, wrapped = current.user.user_id, current.pending
        if wrapped is None or anew:
            wrapped = new_secret(self._keyring, user_id)
            self._sessions.set_pending(current, wrapped)
        return secret_text(self._keyring, user_id, wrapped)

    def confirm_second_factor(
        self, current: UserSession, code: str
    ) -> tuple[str, Sequence[str]] | None:
        """Use the secret from now on, if the app shows its codes. Every other session ends.

        Returns:
            The token under which the session goes on, and recovery codes to be shown once; None
            if the code is not right.
        """
        if current.pending is None:
            return None
        user_id = current.user.user_id
        secret = secret_text(self._keyring, user_id, current.pending)
        step = step_of(secret, code, self._now(), None)
        if step is None:
            return None
        codes, stored = new_recovery_codes(self._keyring)
        with self._database.write() as session:
            row = self._account(session, user_id)
            row.totp_secret, row.totp_step = current.pending, step
            row.recovery_codes = stored
            token = self._sessions.renew(session, current, second_factor=True)
            end_sessions(session, user_id, but=[self._sessions.digest(token)])
            self._record(session, "user-second-factor-set-up", user_id)
            if current.step is not None:
                self._entered(session, row, "code", True, current.password_due)
        return token, codes

    def forget_second_factor(self, current: UserSession) -> None:
        """Do without, where the roles allow it.

        Raises:
            InputError: they do not.
        """
        if current.user.needs_second_factor:
            raise InputError("account-second-factor-needed")
        with self._database.write() as session:
            row = self._account(session, current.user.user_id)
            row.totp_secret, row.totp_step, row.recovery_codes = None, None, []
            self._record(session, "user-second-factor-reset", row.user_id)

    def anew_recovery_codes(self, current: UserSession) -> Sequence[str]:
        """Other recovery codes, to be shown once; those before are useless then."""
        codes, stored = new_recovery_codes(self._keyring)
        with self._database.write() as session:
            row = self._account(session, current.user.user_id)
            row.recovery_codes = stored
            self._record(session, "user-recovery-codes-made", row.user_id)
        return codes

    def set_language(self, current: UserSession, language: str) -> None:
        """In which language the pages are.

        Raises:
            InputError: mediaguard does not speak it.
        """
        with self._database.write() as session:
            self._account(session, current.user.user_id).language = valid_language(language)

    def sign_out(self, current: UserSession, digest: str | None = None) -> None:
        """End a session of the same user: this one, or that of a digest."""
        ended = digest or current.digest
        with self._database.write() as session:
            session.execute(
                delete(UserSessionRow).where(
                    UserSessionRow.token_digest == ended,
                    UserSessionRow.user_id == current.user.user_id,
                )
            )
            self._record(session, "signed-out", current.user.user_id)

    def sign_out_elsewhere(self, current: UserSession) -> None:
        """End every session but this one."""
        with self._database.write() as session:
            end_sessions(session, current.user.user_id, but=[current.digest])
            self._record(session, "signed-out", current.user.user_id, elsewhere=True)

    # -- inside -----------------------------------------------------------------------------

    def _account(self, session: Session, user_id: str) -> UserRow:
        query = select(UserRow).where(UserRow.user_id == user_id).with_for_update()
        row = session.scalars(query).one()
        if row.disabled_at is not None or row.removed_at is not None:
            raise InputError("sign-in-refused")
        return row

    def _limits(self, kind: str, user_id: str, caller: Caller) -> list[Limit]:
        if caller.device is not None and caller.device.user_id == user_id:
            return [Limit(f"{kind} on a known device", caller.device.name, ACCOUNT)]
        return [Limit(kind, user_id, ACCOUNT), Limit("address", caller.address, ADDRESS)]

    def _begin(self, limits: Sequence[Limit]) -> None:
        wait = self._attempts.begin(limits)
        if wait is not None:
            raise InputError("sign-in-wait", minutes=-(-wait // timedelta(minutes=1)))

    def _open(
        self,
        session: Session,
        row: UserRow,
        caller: Caller,
        method: str,
        *,
        second_factor: bool = False,
        password_due: bool = False,
    ) -> str:
        token = self._sessions.open(
            session,
            row.user_id,
            browser=caller.browser,
            second_factor=second_factor,
            password_due=password_due,
        )
        self._entered(session, row, method, second_factor, password_due)
        return token

    def _entered(
        self,
        session: Session,
        row: UserRow,
        method: str,
        second_factor: bool,
        password_due: bool,
    ) -> None:
        """Put it on record once nothing is left to do."""
        if next_step(as_user(row), second_factor, password_due) is None:
            row.signed_in_at = self._now()
            self._record(session, "signed-in", row.user_id, by=method)

    def _use_code(self, row: UserRow, code: str) -> str | None:
        if row.totp_secret is not None and len(code) <= 100:
            secret = secret_text(self._keyring, row.user_id, row.totp_secret)
            step = step_of(secret, code, self._now(), row.totp_step)
            if step is not None:
                row.totp_step = step
                return "code"
            left = without_code(self._keyring, row.recovery_codes, code)
            if left is not None:
                row.recovery_codes = left
                return "recovery-code"
        return None

    def _failed(self, method: str, user_id: str | None) -> None:
        """Never what was typed: people type passwords where the login belongs."""
        with self._database.write() as session:
            Audit(session, self._keyring).append(
                "sign-in-failed", at=self._now(), actor=NOBODY, data={"by": method, "user": user_id}
            )

    def _record(self, session: Session, action: str, user_id: str, **data: object) -> None:
        session.flush()
        Audit(session, self._keyring).append(
            action, at=self._now(), actor=f"user:{user_id}", data={"user": user_id, **data}
        )
