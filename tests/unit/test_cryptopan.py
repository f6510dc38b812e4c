"""natkit.CryptoPan: its keys, and arguments that it refuses."""

import copy
import pickle

import pytest
from addressed import PAN, SAMPLE, SAMPLE_KEY, as_is, mapped, udp4

import natkit
import plt
from ipp import from_s
from natkit import CryptoPan

# --- Keys


def test_key_forms() -> None:
    wanted = mapped("192.0.2.1", CryptoPan("clé"))
    for same in ("clé".encode(), bytearray("clé".encode()), memoryview("clé".encode() + b"\0" * 9)):
        assert mapped("192.0.2.1", CryptoPan(same)) == wanted
    assert mapped("192.0.2.1", CryptoPan(key="cle")) != wanted
    # an argument that is no UTF-8, as sys.argv has it
    latin = b"cl\xe9"
    assert mapped("192.0.2.1", CryptoPan(latin.decode(errors="surrogateescape"))) == mapped(
        "192.0.2.1", CryptoPan(latin)
    )


@pytest.mark.parametrize(
    ("key", "size"), [("", 0), (b"", 0), ("k" * 33, 33), (b"k" * 33, 33), ("é" * 17, 34)]
)
def test_key_of_wrong_length(key: str | bytes, size: int) -> None:
    with pytest.raises(ValueError, match=f"must be 1 to 32 bytes, not {size}$"):
        CryptoPan(key)


@pytest.mark.parametrize("key", [None, 7, [1, 2], ("k",)])
def test_key_of_wrong_type(key: object) -> None:
    with pytest.raises(TypeError, match="str or bytes-like"):
        CryptoPan(key)


@pytest.mark.parametrize(
    ("key", "error"), [("\ud800", UnicodeEncodeError), (memoryview(b"key!")[::2], BufferError)]
)
def test_key_that_can_not_be_read(key: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        CryptoPan(key)  # type: ignore[arg-type]


def test_wrong_arguments() -> None:
    for args, kwargs in (((), {}), (("key", "key"), {}), ((), {"word": "key"})):
        with pytest.raises(TypeError):
            CryptoPan(*args, **kwargs)  # type: ignore[arg-type]
    for args, kwargs in (((), {}), ((b"", 4, 4), {}), ((b"",), {"versions": 4})):
        with pytest.raises(TypeError):
            PAN.addresses(*args, **kwargs)  # type: ignore[arg-type]


def test_key_does_not_leave() -> None:
    assert "secret" not in repr(CryptoPan("secret"))
    for take in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError):
            take(CryptoPan("secret"))


# --- Wrong arguments


def test_what_is_printed_of_it_tells_nothing_of_the_key() -> None:
    texts = {text(CryptoPan(key)) for key in ("secret", b"s", bytes(32)) for text in (repr, str)}
    assert texts == {"<natkit.CryptoPan: its key is not shown>"}


def test_read_only_packets() -> None:
    packet = plt.ip(udp4(as_is))
    with pytest.raises(TypeError, match="read-only"):
        PAN.packet(packet)
    assert bytes(packet) == udp4(as_is)


def test_what_is_no_packet() -> None:
    for wrong in (None, udp4(as_is), bytearray(udp4(as_is)), from_s("::1")):
        with pytest.raises(TypeError, match="takes a packet or layer object"):
            PAN.packet(wrong)
    with pytest.raises(ValueError, match="nothing was read"):
        PAN.packet(plt.packet())


def test_wrong_arguments_of_packet() -> None:
    packet = plt.ip(bytearray(udp4(as_is)))
    for args, kwargs in (((), {}), ((packet, True), {}), ((packet,), {"source": True})):
        with pytest.raises(TypeError):
            PAN.packet(*args, **kwargs)

    class Unsure:
        def __bool__(self) -> bool:
            raise KeyError("unsure")

    with pytest.raises(KeyError):
        PAN.packet(packet, src=Unsure())
    assert bytes(packet) == udp4(as_is)


def test_subclass() -> None:
    class Mine(natkit.CryptoPan):
        pass

    assert mapped("128.11.68.132", Mine(SAMPLE_KEY)) == SAMPLE["128.11.68.132"]
