"""natkit.CryptoPan on arrays of addresses, against the same addresses one by one."""

import ctypes
import signal
import threading
import time
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import pace
import packets
import pytest
from addressed import PAN, SAMPLE, SAMPLE6, mapped, prefix
from packets import ethernet, ipv4, udp

import ipp
import plt


def rows16(addrs: list[bytes]) -> bytes:
    return b"".join(addr.ljust(16, b"\0") for addr in addrs)


def one_by_one(addrs: list[bytes]) -> bytes:
    return rows16([bytes(PAN.anonymise(prefix(addr)).addr) for addr in addrs])


def test_array_of_both_versions() -> None:
    addrs = [ip_address(text).packed for text in (*SAMPLE, *SAMPLE6)]
    versions = bytes(4 if len(addr) == 4 else 6 for addr in addrs)
    array = memoryview(rows16(addrs)).cast("B", (len(addrs), 16))
    result = PAN.addresses(array, versions)
    assert result.shape == (len(addrs), 16)
    assert (result.format, result.contiguous, result.readonly) == ("B", True, False)
    assert result.tobytes() == one_by_one(addrs)
    texts = ipp.format(result, versions)
    assert texts == [*SAMPLE.values(), *SAMPLE6.values()]


@pytest.mark.parametrize("count", [1, 1023, 1024, 70_000])
@pytest.mark.parametrize("version", [4, 6])
def test_array_of_one_version(count: int, version: int) -> None:
    size = 4 if version == 4 else 16
    addrs = [(i * 0x9E3779B97F4A7C15 % 2**32).to_bytes(size, "big") for i in range(count)]
    result = PAN.addresses(rows16(addrs), version)
    assert result.shape == (16 * count,)
    step = max(1, count // 100)
    for i in range(0, count, step):
        wanted = PAN.anonymise(prefix(addrs[i])).addr.ljust(16, b"\0")
        assert result[16 * i : 16 * i + 16] == wanted
    packed = memoryview(b"".join(addrs)).cast("B", (count, size))
    short = PAN.addresses(packed)
    assert short.shape == (count, size)
    assert short.tobytes() == b"".join(
        result[16 * i : 16 * i + size].tobytes() for i in range(count)
    )


def test_missing_addresses_stay_zero() -> None:
    array = rows16([b"\1\2\3\4", b"\5\6\7\10"])
    assert PAN.addresses(array, b"\0\4")[:16] == bytes(16)


def test_array_without_rows() -> None:
    assert PAN.addresses(b"", 4).shape == (0,)
    empty = PAN.addresses(ipp.parse([])[0], b"")
    assert empty.shape == (0, 16)
    assert empty.tobytes() == b""


def test_arrays_of_columns(tmp_path: Path) -> None:
    frames = [ethernet(ipv4(udp(), src=src)) for src in SAMPLE]
    path = packets.write(tmp_path / "t", packets.pcap(frames))
    pytest.importorskip("numpy")
    table = plt.columns(path, ["version", "src_prefix"]).table()
    result = PAN.addresses(table["src_prefix"], table["version"])
    assert ipp.format(result, table["version"]) == [*SAMPLE.values()]


@pytest.mark.parametrize(
    ("array", "version", "error", "text"),
    [
        (b"x" * 15, 4, ValueError, "rows of 16 or 4 bytes"),
        (memoryview(b"x" * 16).cast("B", (2, 8)), 4, ValueError, "rows of 16 or 4 bytes"),
        (memoryview(b"x" * 16).cast("B", (1, 1, 16)), 4, ValueError, "rows of 16 or 4 bytes"),
        (memoryview(b"x" * 16).cast("I"), 4, ValueError, "items of 4 bytes"),
        (memoryview(b"x" * 64)[::2], 4, ValueError, "contiguous"),
        (b"x" * 16, 5, ValueError, "version must be 4 or 6"),
        (b"x" * 16, 2**70, ValueError, "version must be 4 or 6"),
        (b"x" * 16, b"", ValueError, "1 addresses and 0 versions"),
        (b"x" * 32, b"\4\5", ValueError, "address 1 of 16 bytes can't be of version 5"),
        (memoryview(b"x" * 4).cast("B", (1, 4)), 6, ValueError, "can't be IPv6"),
        (memoryview(b"x" * 4).cast("B", (1, 4)), b"\6", ValueError, "can't be of version 6"),
        ("1.2.3.4", 4, TypeError, "bytes-like"),
        (b"x" * 16, "4", TypeError, "bytes-like"),
        (ctypes.c_char(b"x"), 4, ValueError, "rows of 16 or 4 bytes"),
        (b"x" * 16, memoryview(b"\4").cast("B", (1, 1)), ValueError, "addresses and 1 versions"),
        (b"x" * 16, ctypes.c_char(b"4"), TypeError, "cannot be interpreted as an integer"),
    ],
)
def test_wrong_arrays(array: object, version: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        PAN.addresses(array, version)


def test_threads_share_a_mapping() -> None:
    array = rows16([i.to_bytes(4, "big") for i in range(50_000)])
    wanted = PAN.addresses(array, 4)
    results: list[memoryview] = []
    threads = [
        threading.Thread(target=lambda: results.append(PAN.addresses(array, 4))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [wanted] * 4


@pytest.mark.parametrize("rows", [1024, 200_000])
def test_a_signal_s_handler_ends_an_array(rows: int) -> None:
    with pytest.raises(pace.Came):
        pace.with_signal(partial(PAN.addresses, bytes(16 * rows), 4))
    assert mapped("128.11.68.132") == SAMPLE["128.11.68.132"]


def test_ctrl_c_ends_a_large_array() -> None:
    class Interrupt(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupt

    array = b"".join(i.to_bytes(16, "little") for i in range(100_000)) * 20
    started = time.process_time()
    PAN.addresses(array, 6)
    whole = time.process_time() - started
    before = signal.signal(signal.SIGPROF, interrupt)
    try:
        signal.setitimer(signal.ITIMER_PROF, whole / 10)  # of processor time, as is the whole
        started = time.process_time()
        with pytest.raises(Interrupt):
            PAN.addresses(array, 6)
        assert time.process_time() - started < whole / 2
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    assert mapped("128.11.68.132") == SAMPLE["128.11.68.132"]
