"""Keys and encrypted files: what is changed, cut, moved or read by others is never used."""

import errno
import io
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediaguard.errors import StoreError
from mediaguard.store import vault as vault_module
from mediaguard.store.keys import Keyring, new_key, seal, unseal
from mediaguard.store.vault import Vault

CHUNK = vault_module.CHUNK_BYTES


def code(call):
    with pytest.raises(StoreError) as caught:
        call()
    return caught.value.code


# -- the master key -------------------------------------------------------------------------


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path):
    path = tmp_path / "keys" / "master.key"
    made = Keyring.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert Keyring.load(path).digest("a", b"b") == made.digest("a", b"b")
    before = path.read_bytes()
    assert code(lambda: Keyring.create(path)) == "key-exists"
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["master.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610])
def test_a_key_that_others_can_reach_is_refused(tmp_path, mode):
    path = tmp_path / "master.key"
    Keyring.create(path)
    path.chmod(mode)
    assert code(lambda: Keyring.load(path)) == "key-exposed"


@pytest.mark.parametrize("content", [b"", b"short", b"A" * 43, b"A" * 45, b"\xff" * 44])
def test_what_is_not_a_key_is_refused(tmp_path, content):
    path = tmp_path / "master.key"
    path.write_bytes(content)
    path.chmod(0o600)
    assert code(lambda: Keyring.load(path)) == "key-damaged"
    path.unlink()
    assert code(lambda: Keyring.load(path)) == "key-missing"


def test_a_keyring_never_shows_its_key(keyring):
    assert "0102" not in repr(keyring)
    assert "mismatch" in str(StoreError("key-mismatch"))


def test_a_wrapped_key_opens_only_for_what_it_was_wrapped_for(keyring):
    key = new_key()
    wrapped = keyring.wrap("subject", "s1", key)
    assert keyring.unwrap("subject", "s1", wrapped) == key
    assert keyring.wrap("subject", "s1", key) != wrapped
    assert code(lambda: keyring.unwrap("subject", "s2", wrapped)) == "key-mismatch"
    assert code(lambda: keyring.unwrap("vault", "s1", wrapped)) == "key-mismatch"
    assert code(lambda: Keyring(new_key()).unwrap("subject", "s1", wrapped)) == "key-mismatch"
    assert code(lambda: keyring.unwrap("subject", "s1", b"")) == "key-mismatch"
    for position in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[position] ^= 1
        assert code(lambda c=changed: keyring.unwrap("subject", "s1", bytes(c))) == "key-mismatch"


def test_digests_depend_on_key_purpose_and_data(keyring):
    digests = {
        keyring.digest("a", b"x"),
        keyring.digest("b", b"x"),
        keyring.digest("a", b"y"),
        Keyring(new_key()).digest("a", b"x"),
    }
    assert len(digests) == 4
    assert keyring.digest("a", "x") == keyring.digest("a", b"x")


def test_a_sealed_record_opens_only_with_its_label():
    key = new_key()
    sealed = seal(key, b"secret", b"a")
    assert unseal(key, sealed, b"a") == b"secret"
    assert code(lambda: unseal(key, sealed, b"b")) == "record-tampered"
    assert code(lambda: unseal(key, sealed[:10], b"a")) == "record-tampered"


# -- the vault ------------------------------------------------------------------------------


@pytest.fixture
def vault(tmp_path, keyring):
    return Vault(tmp_path / "vault", keyring)


def files(vault):
    return [path for path in vault._root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7])
def test_what_goes_in_comes_out(vault, size):
    data = os.urandom(size)
    vault.put("i1", data)
    assert vault.get("i1") == data
    vault.put("i2", io.BytesIO(data))
    assert vault.get("i2") == data
    assert len(files(vault)) == 2


class _Dribble(io.RawIOBase):
    """A stream that hands out a few bytes at a time, as a socket may."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    def read(self, size=-1):
        return self._data.read(min(size, 70_001))


def test_a_stream_may_come_in_pieces(vault):
    data = os.urandom(CHUNK + 5)
    vault.put("i1", _Dribble(data))
    assert vault.get("i1") == data


def test_nothing_is_stored_in_clear_or_open_to_others(vault):
    vault.put("Jan-Jansen.jpg", b"a face" * 1000)
    (path,) = files(vault)
    assert b"a face" not in path.read_bytes()
    assert "Jan" not in str(path.relative_to(vault._root))
    assert path.stat().st_mode & 0o077 == 0
    for folder in (path.parent, vault._root):
        assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("item_id", ["../../etc/passwd", "a\0b", "/", "é" * 500, ""])
def test_an_item_id_is_never_a_path(vault, tmp_path, item_id):
    vault.put(item_id, b"x")
    assert vault.get(item_id) == b"x"
    assert all(vault._root in path.parents for path in tmp_path.rglob("*") if path.is_file())


def test_storing_again_changes_nothing(vault):
    vault.put("i1", b"x")
    (path,) = files(vault)
    before = path.read_bytes()
    vault.put("i1", b"x")
    assert path.read_bytes() == before


def test_storing_again_repairs_a_damaged_file(vault):
    vault.put("i1", b"x")
    (path,) = files(vault)
    path.write_bytes(path.read_bytes()[:-1])
    vault.put("i1", b"x")
    assert vault.get("i1") == b"x"


def test_missing_and_deleted(vault):
    assert not vault.has("i1")
    assert code(lambda: vault.get("i1")) == "vault-missing"
    vault.delete("i1")
    vault.put("i1", b"x")
    (path,) = files(vault)
    path.with_name(path.name + ".abc").write_bytes(b"left by a kill -9")
    vault.delete("i1")
    assert files(vault) == []
    assert not vault.has("i1")


def test_a_file_belongs_to_one_item_and_one_key(vault, keyring, tmp_path):
    vault.put("i1", b"x")
    vault.put("i2", b"y")
    vault._path("i1").replace(vault._path("i2"))
    assert code(lambda: vault.get("i2")) == "vault-tampered"
    other = Vault(tmp_path / "vault", Keyring(new_key()))
    other._path = vault._path
    assert code(lambda: other.get("i2")) == "vault-tampered"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory, keyring):
    """A vault whose chunks are small, and a sealed file of a few of them."""
    patch = pytest.MonkeyPatch()
    patch.setattr(vault_module, "CHUNK_BYTES", 64)
    vault = Vault(tmp_path_factory.mktemp("vault"), keyring)
    vault.put("i1", bytes(range(200)))
    yield vault, vault._path("i1").read_bytes()
    patch.undo()


def reads_as_damaged(sealed, content):
    vault, _ = sealed
    vault._path("i1").write_bytes(content)
    return code(lambda: vault.get("i1")) == "vault-tampered"


def test_every_cut_is_noticed(sealed):
    _, content = sealed
    assert all(reads_as_damaged(sealed, content[:length]) for length in range(len(content)))


def test_every_flipped_byte_is_noticed(sealed):
    _, content = sealed
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 0x01
        assert reads_as_damaged(sealed, bytes(changed)), position


def test_moved_doubled_and_missing_chunks_are_noticed(sealed):
    _, content = sealed
    size = 64 + 16
    body = len(content) - 3 * size - (200 - 3 * 64 + 16)
    header, *chunks = (
        content[:body],
        *(content[body + n * size : body + (n + 1) * size] for n in range(4)),
    )
    assert b"".join([header, *chunks]) == content
    a, b, c, last = chunks
    for order in (
        [b, a, c, last],
        [a, b, last],
        [a, a, b, c, last],
        [a, b, c],
        [last],
        [a, b, c, last, last],
        [a, b, c, last, a],
        [],
    ):
        assert reads_as_damaged(sealed, b"".join([header, *order]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=400))
def test_junk_is_never_read(sealed, junk):
    assert reads_as_damaged(sealed, junk)
    assert reads_as_damaged(sealed, sealed[1] + (junk or b"x"))


class _FullDisk(io.BytesIO):
    def read(self, size=-1):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_nothing(vault, tmp_path):
    """A real full disk: a size limit on files, and a source that fails half-way."""
    resource = pytest.importorskip("resource")
    import signal

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (CHUNK // 2, limits[1]))
        assert code(lambda: vault.put("i1", os.urandom(CHUNK))) == "vault-unwritable"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert files(vault) == []
    assert code(lambda: vault.put("i1", _FullDisk())) == "vault-full"
    assert files(vault) == []
    assert not vault.has("i1")


def test_a_failed_write_keeps_the_file_that_was_there(vault):
    vault.put("i1", b"x")
    (path,) = files(vault)
    path.write_bytes(b"damaged")
    with pytest.raises(StoreError):
        vault.put("i1", _FullDisk())
    assert path.read_bytes() == b"damaged"


def test_a_vault_that_cannot_be_made(tmp_path, keyring):
    (tmp_path / "file").write_text("")
    vault = Vault(tmp_path / "file" / "vault", keyring)
    assert code(lambda: vault.put("i1", b"x")) == "vault-unwritable"


# -- reading anywhere in a file of the vault ------------------------------------------------


class Small:
    """A vault with small chunks: how a file is read anywhere in it."""

    CHUNK = 64

    def __init__(self, folder, keyring):
        self.vault = Vault(folder, keyring)
        self.count = 0

    def stored(self, data: bytes) -> str:
        self.count += 1
        self.vault.put(f"item-{self.count}", data)
        return f"item-{self.count}"

    def damaged(self, item_id: str, content: bytes) -> str:
        self.vault._path(item_id).write_bytes(content)
        return item_id


@pytest.fixture
def small(tmp_path, keyring, monkeypatch):
    monkeypatch.setattr(vault_module, "CHUNK_BYTES", Small.CHUNK)
    monkeypatch.setattr(vault_module, "_BUFFER_BYTES", 24)
    return Small(tmp_path / "vault", keyring)


lengths = st.builds(
    lambda chunks, more: max(64 * chunks + more, 0), st.integers(0, 5), st.integers(-2, 2)
) | st.integers(0, 300)
moves = st.one_of(
    st.tuples(st.just("read"), st.integers(-1, 200)),
    st.tuples(st.just("set"), st.integers(0, 400)),
    st.tuples(st.just("end"), st.integers(-400, 50)),
    st.tuples(st.just("on"), st.integers(-100, 100)),
    st.tuples(st.just("into"), st.integers(0, 200)),
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths, st.lists(moves, max_size=20))
def test_reading_anywhere_gives_what_was_stored(small, length, steps):
    """As a file in memory would, whatever is asked."""
    data = bytes(index * 7 % 251 for index in range(length))
    plain = io.BytesIO(data)
    with small.vault.open(small.stored(data)) as file:
        assert file.seekable()
        assert file.readable()
        for what, value in steps:
            if what == "read":
                assert file.read(value) == plain.read(value)
            elif what == "into":
                one, other = bytearray(value), bytearray(value)
                assert file.readinto(one) == plain.readinto(other)
                assert one == other
            else:
                whence = {"set": os.SEEK_SET, "end": os.SEEK_END, "on": os.SEEK_CUR}[what]
                if whence != os.SEEK_SET:
                    base = len(data) if whence == os.SEEK_END else plain.tell()
                    value = max(value, -base)  # before the start: files and memory differ
                assert file.seek(value, whence) == plain.seek(value, whence)
            assert file.tell() == plain.tell()
        file.seek(0)
        assert file.read() == data


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7])
def test_a_file_in_chunks_of_the_real_size(vault, size, monkeypatch):
    monkeypatch.setattr(vault_module, "CHUNK_BYTES", CHUNK)  # whatever `sealed` set
    data = os.urandom(size)
    vault.put("i1", data)
    with vault.open("i1") as file:
        assert file.read() == data
        assert file.seek(0, os.SEEK_END) == size
        assert file.read(1) == b""
        for position in (CHUNK, CHUNK - 5, 0, max(size - 3, 0)):
            file.seek(position)
            assert file.read(10) == data[position : position + 10]


def test_a_file_can_be_open_twice_and_is_closed_for_good(vault):
    vault.put("i1", bytes(range(200)))
    with vault.open("i1") as one, vault.open("i1") as other:
        one.seek(100)
        assert other.read(3) == bytes([0, 1, 2])
        assert one.read(3) == bytes([100, 101, 102])
    for call in (lambda: one.read(1), lambda: one.seek(0)):
        with pytest.raises(ValueError, match="closed"):
            call()


def test_a_file_in_the_vault_cannot_be_written_through(vault):
    vault.put("i1", b"x" * 100)
    with vault.open("i1") as file:
        assert not file.writable()
        for call in (lambda: file.write(b"y"), lambda: file.truncate(1)):
            with pytest.raises((OSError, io.UnsupportedOperation)):
                call()
    assert vault.get("i1") == b"x" * 100


def test_opening_what_is_not_there(vault, tmp_path):
    assert code(lambda: vault.open("i1")) == "vault-missing"
    vault.put("i1", b"x")
    vault.delete("i1")
    assert code(lambda: vault.open("i1")) == "vault-missing"
    vault.put("i1", b"x")
    path = vault._path("i1")
    path.unlink()
    path.mkdir()
    assert code(lambda: vault.open("i1")) == "vault-unreadable"


def test_nobody_elses_file_is_opened(vault, tmp_path):
    vault.put("i1", b"x")
    vault.put("i2", b"y")
    vault._path("i1").replace(vault._path("i2"))
    assert code(lambda: vault.open("i2")) == "vault-tampered"
    other = Vault(tmp_path / "vault", Keyring(new_key()))
    other._path = vault._path
    assert code(lambda: other.open("i2")) == "vault-tampered"


def read_in_every_way(vault, item_id, original: bytes) -> list[bytes]:
    """The whole file forwards, backwards, and by its last piece; only what is true may come."""
    found = []
    for start in (0, *range((len(original) // 64) * 64, -1, -64)):
        try:
            with vault.open(item_id) as file:
                file.seek(start)
                found.append(file.read())
                assert found[-1] == original[start:], "something else was given"
        except StoreError as error:
            assert error.code == "vault-tampered"  # noqa: PT017 - both outcomes are fine here
    return found


@pytest.mark.parametrize("length", [0, 1, 64, 65, 128])
def test_no_cut_is_opened(small, length):
    """A file that ends too early is refused when it is opened, not when its end is read."""
    data = os.urandom(length)
    item_id = small.stored(data)
    content = small.vault._path(item_id).read_bytes()
    for shorter in range(len(content)):
        small.damaged(item_id, content[:shorter])
        assert code(lambda: small.vault.open(item_id)) == "vault-tampered", shorter
    for longer in (b"x", b"x" * 16, b"x" * 80, content[-80:]):
        small.damaged(item_id, content + longer)
        assert code(lambda: small.vault.open(item_id)) == "vault-tampered"


def test_no_flipped_byte_is_read(small):
    """Opening it, or reading the piece that it lies in, fails; other pieces are as they were."""
    data = os.urandom(200)
    item_id = small.stored(data)
    content = small.vault._path(item_id).read_bytes()
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 0x01
        small.damaged(item_id, bytes(changed))
        assert data not in read_in_every_way(small.vault, item_id, data), position


def test_no_moved_doubled_or_missing_chunk_is_read(small):
    data = os.urandom(200)
    item_id = small.stored(data)
    content = small.vault._path(item_id).read_bytes()
    size = small.CHUNK + 16
    body = len(content) - 3 * size - (200 - 3 * 64 + 16)
    header, rest = content[:body], content[body:]
    a, b, c, last = (rest[n * size : (n + 1) * size] for n in range(4))
    assert header + a + b + c + last == content
    for order in (
        [b, a, c, last], [a, c, b, last], [a, a, c, last], [a, b, last], [a, b, c], [last],
        [a, b, c, c], [a, b, c, last, last], [c, b, a, last], [],
    ):  # fmt: skip
        small.damaged(item_id, b"".join([header, *order]))
        assert data not in read_in_every_way(small.vault, item_id, data)


def test_after_an_error_other_pieces_are_still_true(small):
    data = os.urandom(200)
    item_id = small.stored(data)
    path = small.vault._path(item_id)
    content = bytearray(path.read_bytes())
    content[-150] ^= 1  # in the second of four chunks
    path.write_bytes(content)
    with small.vault.open(item_id) as file:
        assert file.read(10) == data[:10]
        for _ in range(2):
            file.seek(100)
            with pytest.raises(StoreError):
                file.read(1)
        file.seek(0)
        assert file.read(10) == data[:10]
        file.seek(195)
        assert file.read() == data[195:]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_junk_is_never_opened(small, junk):
    item_id = small.stored(b"x" * 70)
    content = small.vault._path(item_id).read_bytes()
    for damaged in (junk, content[:20] + junk, content + (junk or b"x")):
        small.damaged(item_id, damaged)
        assert code(lambda: small.vault.open(item_id)) == "vault-tampered"


def test_a_failed_opening_leaves_no_file_open(vault):
    if not os.path.isdir("/proc/self/fd"):  # noqa: PTH112
        pytest.skip("no list of open files")
    vault.put("i1", b"x" * 100)
    path = vault._path("i1")
    path.write_bytes(path.read_bytes()[:-1])
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(20):
        assert code(lambda: vault.open("i1")) == "vault-tampered"
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
    vault.put("i1", b"x" * 100)
    for _ in range(20):
        vault.open("i1").close()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
