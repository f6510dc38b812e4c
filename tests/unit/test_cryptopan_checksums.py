"""The checksums of packets that natkit.CryptoPan has changed, by arithmetic and by tshark."""

import struct
import subprocess
from ipaddress import ip_address
from itertools import chain
from pathlib import Path

import packets
from addressed import PAN, addresses4, as_is, keys, mapped, over4, prefix, rewritten
from catalogue import PACKETS, PLAIN
from hypothesis import given
from hypothesis import strategies as st
from packets import ethernet, udp

import plt
from natkit import CryptoPan


def complement_difference(one: int, other: int) -> int:
    """How far two checksums are apart, in one's complement arithmetic."""
    return (one - other) % 0xFFFF


@given(st.integers(0, 0xFFFF), st.sampled_from(sorted(PLAIN)))
def test_wrong_checksums_stay_wrong_by_as_much(wrong: int, name: str) -> None:
    fields = {"udp4": [10, 26], "tcp4": [10, 36], "udp6": [46], "tcp6": [56], "echo": [10, 22]}
    fields |= {"echo6": [42], "udp-lite": [10, 26], "dccp": [46]}
    right, becomes = PLAIN[name](as_is), PLAIN[name](mapped)
    for at in fields.get(name, [10] if right[0] >> 4 == 4 else []):
        data = right[:at] + struct.pack(">H", wrong) + right[at + 2 :]
        result = rewritten(data)
        assert (result[:at], result[at + 2 :]) == (becomes[:at], becomes[at + 2 :])
        then, now = (int.from_bytes(d[at : at + 2], "big") for d in (data, result))
        if name.startswith("udp") and at != 10 and wrong == 0:
            assert now == 0
            continue
        off = complement_difference(then, int.from_bytes(right[at : at + 2], "big"))
        assert complement_difference(now, int.from_bytes(becomes[at : at + 2], "big")) == off


@given(addresses4, addresses4, st.binary(max_size=9), keys)
def test_checksums_of_any_addresses(src: bytes, dst: bytes, payload: bytes, key: bytes) -> None:
    """plt's own tests of checksums, on whatever comes."""
    pan = CryptoPan(key)
    data = over4(17, 6, udp(payload), str(ip_address(src)), str(ip_address(dst)))
    packet = plt.ip(bytearray(data))
    assert packet is not None
    assert (packet.test_l3_cksm(), packet.test_trans_cksm()) == (True, True)
    pan.packet(packet)
    assert packet.src_prefix == pan.anonymise(prefix(src))
    assert packet.dst_prefix == pan.anonymise(prefix(dst))
    assert (packet.test_l3_cksm(), packet.test_trans_cksm()) == (True, True)


CHECKSUMS = ("ip", "tcp", "udp", "icmp", "icmpv6", "gre", "igmp")


def statuses(tshark: str, path: Path) -> list[list[str]]:
    """What tshark says of all checksums of each packet: 1 good, 0 bad, 2 and more not told."""
    on = [f"-o{name}.check_checksum:TRUE" for name in ("ip", "tcp", "udp")]
    fields = chain.from_iterable(("-e", f"{name}.checksum.status") for name in CHECKSUMS)
    run = subprocess.run(
        [tshark, "-r", path, *on, "-Tfields", *fields], capture_output=True, text=True, check=True
    )
    return [line.split("\t") for line in run.stdout.splitlines()]


def anonymised(path: Path, to: Path) -> Path:
    with plt.trace(path) as trace, plt.output_trace(f"pcapfile:{to}") as output:
        for packet in trace:
            PAN.packet(packet)
            output.write_packet(packet)
    return to


def test_tshark_finds_all_checksums_as_they_were(tshark: str, tmp_path: Path) -> None:
    frames = []
    for make in PACKETS.values():
        data = make(as_is)
        frames.append(ethernet(data, 0x0800 if data[0] >> 4 == 4 else 0x86DD))
    path = packets.write(tmp_path / "before.pcap", packets.pcap(frames))
    before = statuses(tshark, path)
    assert len(before) == len(frames)
    assert sum("1" in status for line in before for status in line) > len(frames)
    assert statuses(tshark, anonymised(path, tmp_path / "after.pcap")) == before


def test_tshark_on_the_tutorials_trace(tshark: str, tmp_path: Path) -> None:
    path = Path(__file__).resolve().parents[2] / "tutorial" / "traces" / "edge-10k.pcap.gz"
    before = statuses(tshark, path)
    assert sum(line[0].startswith("1") for line in before) > 5000
    assert statuses(tshark, anonymised(path, tmp_path / "after.pcap")) == before
