"""Every link type: where layer 3 is, what it is called, and whether tshark finds the same."""

import re
import struct
import subprocess
import zlib
from pathlib import Path

import packets
import pytest
from packets import snap, wireless

import plt

MAC6 = packets.MAC[:6]
UDP = packets.udp(b"payload", ports=(1234, 5678))
IP4 = packets.ipv4(UDP)
IP6 = packets.ipv6(UDP)
ARP = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + bytes(20)
ETHERTYPE = {IP4: 0x0800, IP6: 0x86DD}


#: An Ethernet header with a vendor's addresses: tshark looks for those within MPLS.
VENDOR = bytes.fromhex("000c29000001 000c29000002 0800")


def tag(vlan: int, ethertype: int, priority: int = 5) -> bytes:
    """What follows a tag's own ethertype: control information and the next ethertype."""
    return struct.pack(">HH", priority << 13 | vlan, ethertype)


def label(value: int, bottom: bool) -> bytes:  # RFC 3032 section 2.1
    return struct.pack(">I", value << 12 | bottom << 8 | 64)


def pppoe(payload: bytes, protocol: int) -> bytes:  # RFC 2516 section 4
    return struct.pack(">BBHHH", 0x11, 0, 7, len(payload) + 2, protocol) + payload


def mesh(addresses: int) -> bytes:
    """Mesh control."""
    return struct.pack("<BBI", addresses, 31, 7) + packets.MAC[:6] * addresses


def radiotap(frame: bytes, flags: int | None, clock: bool) -> bytes:
    """A radiotap header: bit 0 a 64-bit clock, bit 1 the flags (0x10: the frame has its FCS)."""
    present = clock | (flags is not None) << 1
    fields = (bytes(8) if clock else b"") + (b"" if flags is None else bytes([flags]))
    return struct.pack("<BBHI", 0, 0, 8 + len(fields), present) + fields + frame


def sll(payload: bytes, protocol: int, hardware: int = 1, kind: int = 0) -> bytes:
    return struct.pack(">HHH8sH", kind, hardware, 6, packets.MAC[:6], protocol) + payload


def sll2(payload: bytes, protocol: int, hardware: int = 1, kind: int = 0) -> bytes:
    fields = (protocol, 0, 7, hardware, kind, 6, packets.MAC[:6])
    return struct.pack(">HHIHBB8s", *fields) + payload


def erf(kind: int, payload: bytes) -> bytes:
    """A record of Endace's format: time, type, flags, record length, losses, wire length."""
    return (
        struct.pack("<QBB", packets.EPOCH << 32, kind, 4)
        + struct.pack(">HHH", 16 + len(payload), 0, len(payload))
        + payload
    )


def nflog(payload: bytes) -> bytes:
    prefix = struct.pack("<HH", 9, 10) + b"hello" + bytes(3)  # a prefix of 5 bytes, padded
    return b"\2\0\0\0" + prefix + struct.pack("<HH", 4 + len(payload), 9) + payload


def isl(frame: bytes, group: int) -> bytes:
    header = bytes([group, 0, 0x0C, 0, 0, 0]) + packets.MAC[6:]
    length = struct.pack(">H", 12 + len(frame) - 4)
    return header + length + b"\xaa\xaa\3\0\0\x0c\0\x14\0\0\0\0" + frame


def redback(protocol: int, frame: int, layer3: int) -> bytes:
    return bytes(18) + struct.pack(">HHH", protocol, frame, layer3)


def fibre(control: int, number: int = 0, kind: int = 5) -> bytes:
    """A Fibre Channel header: routing, addresses, a type, frame control, a number."""
    start = bytes.fromhex("04000001 00000002") + bytes([kind]) + b"\x38\0\x08\0"
    return start + bytes([control]) + struct.pack(">HHHI", number, 1, 0xFFFF, 0)


def upper(dissector: bytes) -> bytes:
    return struct.pack(">HH", 12, len(dissector)) + dissector + bytes(4)


def checked(frame: bytes) -> bytes:
    """With its FCS."""
    return frame + struct.pack("<I", zlib.crc32(frame))


#: RFC 2684 section 5.2: 802.1's organisation, and Ethernet without its FCS.
BRIDGED = snap(b"", 7, 0x0080C2)
#: 802.2 with OSI's SAP (RFC 2684 section 5.1).
OSI = b"\xfe\xfe\3"
#: Names of AX.25's stations, shifted by a bit, and a byte that ends them.
STATION = bytes.fromhex("82a0a4a64040 60")
LAST_STATION = STATION[:6] + b"\x61"
#: RFC 4338 section 4.
NETWORK = (b"\x10\0" + MAC6) * 2
#: Headers of FDDI and of Token Ring.
FDDI, RING = b"\x50" + packets.MAC, b"\x10\x40" + packets.MAC
ETH = 1
DATA, QOS = 0x08, 0x88  # frame control of data frames
TO_DS, FROM_DS, PROTECTED, ORDER = 0x01, 0x02, 0x40, 0x80
eth = packets.ethernet

# name: link type, bytes, the IP packet in it, the VLAN
FOUND: dict[str, tuple[int, bytes, bytes, int]] = {
    "ethernet": (ETH, eth(IP4), IP4, 0),
    "ethernet-6": (ETH, eth(IP6, 0x86DD), IP6, 0),
    "vlan": (ETH, eth(tag(5, 0x0800) + IP4, 0x8100), IP4, 5),
    "vlan-4095": (ETH, eth(tag(4095, 0x86DD) + IP6, 0x8100), IP6, 4095),
    "vlan-stacked": (ETH, eth(tag(6, 0x8100) + tag(7, 0x0800) + IP4, 0x8100), IP4, 6),
    "qinq": (ETH, eth(tag(8, 0x8100) + tag(9, 0x86DD) + IP6, 0x88A8), IP6, 8),
    "qinq-old": (ETH, eth(tag(10, 0x8100) + tag(11, 0x0800) + IP4, 0x9100), IP4, 10),
    "vlan-3": (
        ETH,
        eth(tag(1, 0x88A8) + tag(2, 0x8100) + tag(3, 0x0800) + IP4, 0x88A8),
        IP4,
        1,
    ),
    "mpls": (ETH, eth(label(100, True) + IP4, 0x8847), IP4, 0),
    "mpls-6": (ETH, eth(label(100, True) + IP6, 0x8847), IP6, 0),
    "mpls-3": (
        ETH,
        eth(label(100, False) + label(200, False) + label(300, True) + IP4, 0x8848),
        IP4,
        0,
    ),
    "pseudowire": (ETH, eth(label(100, True) + bytes(4) + VENDOR + IP4, 0x8847), IP4, 0),
    "pseudowire-without-control-word": (ETH, eth(label(100, True) + VENDOR + IP4, 0x8847), IP4, 0),
    "vlan-mpls": (ETH, eth(tag(12, 0x8847) + label(100, True) + IP4, 0x8100), IP4, 12),
    "pppoe": (ETH, eth(pppoe(IP4, 0x0021), 0x8864), IP4, 0),
    "pppoe-6": (ETH, eth(pppoe(IP6, 0x0057), 0x8864), IP6, 0),
    "vlan-pppoe": (ETH, eth(tag(13, 0x8864) + pppoe(IP4, 0x0021), 0x8100), IP4, 13),
    "802.3-snap": (ETH, eth(snap(IP4), 8 + len(IP4)), IP4, 0),
    "vlan-snap": (ETH, eth(tag(14, 8 + len(IP6)) + snap(IP6, 0x86DD), 0x8100), IP6, 14),
    "null": (0, struct.pack("<I", 2) + IP4, IP4, 0),
    "null-big-endian": (0, struct.pack(">I", 2) + IP4, IP4, 0),
    "null-6-bsd": (0, struct.pack("<I", 24) + IP6, IP6, 0),
    "null-6-freebsd": (0, struct.pack("<I", 28) + IP6, IP6, 0),
    "null-6-darwin": (0, struct.pack(">I", 30) + IP6, IP6, 0),
    "loop": (108, struct.pack(">I", 2) + IP4, IP4, 0),
    "loop-6": (108, struct.pack(">I", 24) + IP6, IP6, 0),
    "raw": (101, IP4, IP4, 0),
    "raw-6": (101, IP6, IP6, 0),
    "raw-12": (12, IP4, IP4, 0),
    "raw-14": (14, IP6, IP6, 0),
    "ipv4": (228, IP4, IP4, 0),
    "ipv6": (229, IP6, IP6, 0),
    "ppp": (9, b"\xff\x03\x00\x21" + IP4, IP4, 0),
    "ppp-6": (9, b"\xff\x03\x00\x57" + IP6, IP6, 0),
    "ppp-no-address": (9, b"\x00\x21" + IP4, IP4, 0),
    "ppp-compressed": (9, b"\xff\x03\x21" + IP4, IP4, 0),
    "ppp-mpls": (9, b"\xff\x03\x02\x81" + label(16, True) + IP4, IP4, 0),
    "ppp-hdlc": (50, b"\xff\x03\x00\x21" + IP4, IP4, 0),
    "ppp-hdlc-cisco": (50, b"\x0f\x00\x08\x00" + IP4, IP4, 0),
    "ppp-direction": (204, b"\x01\xff\x03\x00\x21" + IP4, IP4, 0),
    "cisco-hdlc": (104, b"\x0f\x00\x08\x00" + IP4, IP4, 0),
    "cisco-hdlc-6": (104, b"\x8f\x00\x86\xdd" + IP6, IP6, 0),
    "cisco-hdlc-direction": (205, b"\x00\x0f\x00\x08\x00" + IP4, IP4, 0),
    "pppoe-alone": (51, pppoe(IP4, 0x0021), IP4, 0),
    "sll": (113, sll(IP4, 0x0800), IP4, 0),
    "sll-vlan": (113, sll(tag(15, 0x0800) + IP4, 0x8100), IP4, 15),
    "sll-no-arphrd": (113, sll(IP6, 0x86DD, 65534), IP6, 0),
    "sll-odd-arphrd": (113, sll(IP4, 0x0800, 0xBEEF), IP4, 0),
    "sll2": (276, sll2(IP4, 0x0800), IP4, 0),
    "sll2-6": (276, sll2(IP6, 0x86DD, 512), IP6, 0),
    "802.11": (105, wireless(snap(IP4), DATA, TO_DS), IP4, 0),
    "802.11-4-addresses": (
        105,
        wireless(snap(IP6, 0x86DD), DATA, TO_DS | FROM_DS, packets.MAC[:6]),
        IP6,
        0,
    ),
    "802.11-qos": (105, wireless(snap(IP4), QOS, FROM_DS, b"\0\0"), IP4, 0),
    "802.11-qos-ht": (105, wireless(snap(IP4), QOS, FROM_DS | ORDER, b"\0\0" + bytes(4)), IP4, 0),
    "802.11-amsdu": (
        105,
        wireless(
            packets.MAC + struct.pack(">H", 8 + len(IP4)) + snap(IP4), QOS, FROM_DS, b"\x80\0"
        ),
        IP4,
        0,
    ),
    # a mesh's frames (IEEE 802.11-2020 section 9.2.4.8.3): flags, TTL, number, other addresses
    "802.11-mesh": (
        105,
        wireless(
            mesh(0) + snap(IP4), QOS, TO_DS | FROM_DS, packets.MAC[:6] + b"\0\x01"
        ),
        IP4,
        0,
    ),
    "802.11-mesh-group": (105, wireless(mesh(0) + snap(IP4), QOS, FROM_DS, b"\0\x01"), IP4, 0),
    "802.11-mesh-1": (105, wireless(mesh(1) + snap(IP6, 0x86DD), QOS, FROM_DS, b"\0\x01"), IP6, 0),
    "802.11-mesh-2": (105, wireless(mesh(2) + snap(IP4), QOS, FROM_DS, b"\0\x01"), IP4, 0),
    # to an access point these bits are the length of a queue, and flags of a mesh are 0 to 2
    "802.11-queue": (105, wireless(snap(IP4), QOS, TO_DS, b"\0\x01"), IP4, 0),
    "802.11-no-mesh": (105, wireless(snap(IP4), QOS, FROM_DS, b"\0\x01"), IP4, 0),
    "radiotap": (127, radiotap(wireless(snap(IP4), DATA, TO_DS), None, False), IP4, 0),
    "radiotap-clock": (127, radiotap(wireless(snap(IP4), DATA, TO_DS), 0, True), IP4, 0),
    "radiotap-fcs": (
        127,
        radiotap(wireless(snap(IP4), DATA, TO_DS) + bytes(4), 0x10, True),
        IP4,
        0,
    ),
    "prism": (119, struct.pack("<II", 0x44, 144) + bytes(136) + wireless(snap(IP4), DATA, 1),
            IP4, 0),
    "avs": (163, struct.pack(">II", 0x80211001, 64) + bytes(56) + wireless(snap(IP4), DATA, 1),
            IP4, 0),
    "ppi": (192, struct.pack("<BBHI", 0, 0, 8, 105) + wireless(snap(IP4), DATA, TO_DS), IP4, 0),
    "atm-rfc1483": (100, snap(IP4), IP4, 0),
    "sunatm": (123, b"\x02\0\0\x20" + snap(IP4), IP4, 0),
    "token-ring": (6, b"\x10\x40" + packets.MAC + snap(IP4), IP4, 0),
    "fddi": (10, b"\x50" + packets.MAC + snap(IP4), IP4, 0),
    "frame-relay": (107, b"\x18\x41\x03\xcc" + IP4, IP4, 0),
    "frame-relay-6": (107, b"\x18\x41\x03\x8e" + IP6, IP6, 0),
    "frame-relay-snap": (107, b"\x18\x41\x03\0\x80\0\0\0\x08\0" + IP4, IP4, 0),
    "mpls-alone": (219, label(55, True) + IP4, IP4, 0),
    "enc": (109, struct.pack("<III", 2, 0, 0) + IP4, IP4, 0),
    "nflog": (239, nflog(IP4), IP4, 0),
    "nflog-6": (239, nflog(IP6), IP6, 0),
    "pflog": (117, bytes([61, 2]) + bytes(58) + b"\x01" + bytes(3) + IP4, IP4, 0),
    "pktap": (
        258,
        struct.pack("<III", 108, 1, 1) + bytes(96) + eth(IP4),
        IP4,
        0,
    ),
    "ppp-cisco": (9, struct.pack(">BBH", 0x0F, 0, 0x0800) + IP4, IP4, 0),
    "ppp-cisco-broadcast": (9, struct.pack(">BBH", 0x8F, 0, 0x86DD) + IP6, IP6, 0),
    "data-pad": (
        127,
        radiotap(wireless(b"\0\0" + snap(IP4), 0x88, TO_DS, b"\0\0"), 0x20, True),
        IP4, 0,
    ),
    "erf-ethernet": (197, erf(2, b"\0\0" + eth(IP4)), IP4, 0),
    "erf-extended": (197, erf(2 | 0x80, b"\x05" + bytes(7) + b"\0\0" + eth(IP4)), IP4, 0),
    "erf-hdlc": (197, erf(1, b"\xff\x03\0\x21" + IP4), IP4, 0),
    "erf-ip": (197, erf(22, IP4), IP4, 0),
    "erf-ip6": (197, erf(23, IP6), IP6, 0),
    "erf-color": (197, erf(11, b"\0\0" + eth(IP4)), IP4, 0),
    "erf-mc-hdlc": (197, erf(5, bytes(4) + b"\xff\x03\0\x21" + IP4), IP4, 0),
    "ppi-ethernet": (192, struct.pack("<BBHI", 0, 0, 8, 1) + eth(IP6, 0x86DD), IP6, 0),
    "ppi-80211-common": (
        192,
        struct.pack("<BBHI", 0, 0, 32, 105) + struct.pack("<HH", 2, 20) + bytes(20)
        + wireless(snap(IP4), DATA, TO_DS),
        IP4, 0,
    ),
    "ppi-raw": (192, struct.pack("<BBHI", 0, 0, 8, 101) + IP4, IP4, 0),
    "pktap-raw": (258, struct.pack("<III", 108, 1, 12) + bytes(96) + IP4, IP4, 0),
    "pktap-user2": (149, struct.pack("<III", 108, 1, 1) + bytes(96) + eth(IP4), IP4, 0),
    "ipnet": (226, struct.pack(">BBHIIIII", 1, 2, 0, len(IP4), 1, 1, 0, 0) + IP4, IP4, 0),
    "ipnet-6": (226, struct.pack(">BBHIIIII", 1, 26, 0, len(IP6), 1, 1, 0, 0) + IP6, IP6, 0),
    "ipoib": (242, bytes(40) + b"\x08\0\0\0" + IP4, IP4, 0),
    "infiniband": (
        247,
        b"\0\x02\0\1" + struct.pack(">H", 20) + b"\0\2" + b"\x64\0\xff\xff" + bytes(8)
        + bytes(4) + b"\0\0\0\1" + b"\x08\0\0\0" + IP4 + bytes(6),
        IP4, 0,
    ),
    "ip-over-fc": (122, b"\x10\0" + MAC6 + b"\x10\0" + MAC6 + snap(IP4), IP4, 0),
    "juniper-ethernet": (178, b"MGC\x01" + eth(IP4), IP4, 0),
    "juniper-extended": (178, b"MGC\x81\0\x06\x01\x01\x05\x02\x01\x0e" + eth(IP4), IP4, 0),
    "juniper-no-l2": (178, b"MGC\x02\x02\0\0\0" + IP4, IP4, 0),
    "juniper-no-l2-6": (178, b"MGC\x03\x06\0\0\0" + IP6, IP6, 0),
    "juniper-no-magic": (178, eth(IP4), IP4, 0),
    "juniper-ppp": (179, b"MGC\0\xff\x03\0\x21" + IP4, IP4, 0),
    "juniper-frame-relay": (180, b"MGC\0\x18\x41\x03\xcc" + IP4, IP4, 0),
    "juniper-cisco": (181, b"MGC\0\x0f\0\x08\0" + IP4, IP4, 0),
    "juniper-pppoe": (167, b"MGC\0" + eth(pppoe(IP4, 0x21), 0x8864), IP4, 0),
    "juniper-pppoe-atm": (168, b"MGC\0\x88\x64" + pppoe(IP4, 0x21), IP4, 0),
    "juniper-ggsn": (133, b"MGC\0\x02\0\0\0" + IP4, IP4, 0),
    "juniper-voice": (183, b"MGC\0" + bytes(18) + IP4, IP4, 0),
    "juniper-services-in": (136, b"MGC\x01" + bytes(16) + IP4, IP4, 0),
    "juniper-services-out": (136, b"MGC\0" + bytes(12) + IP4, IP4, 0),
    "juniper-atm1": (137, b"MGC\x01" + bytes(4) + snap(IP4), IP4, 0),
    "juniper-atm1-vcmux": (137, b"MGC\x01" + bytes(4) + IP6, IP6, 0),
    "juniper-atm2": (135, b"MGC\x01" + bytes(8) + snap(IP4), IP4, 0),
    "juniper-atm2-ethernet": (135, b"MGC\0\0\0\0\x02" + bytes(4) + eth(IP4), IP4, 0),
    "juniper-atm2-ppp": (135, b"MGC\x01" + bytes(8) + b"\0\x21" + IP4, IP4, 0),
    "juniper-atm2-nlpid": (135, b"MGC\x01" + bytes(8) + b"\x03\xcc" + IP4, IP4, 0),
    "juniper-atm2-llc": (135, b"MGC\x01" + bytes(8) + b"\xfe\xfe\x03\xcc" + IP4, IP4, 0),
    "juniper-mlppp": (130, b"MGC\x01\0\x01\0\x21" + IP4, IP4, 0),
    "juniper-mlppp-child": (130, b"MGC\x01\xff\x03\0\x21" + IP4, IP4, 0),
    "juniper-mlppp-ls": (130, b"MGC\x01\x54\0\0\0\0\x21" + IP4, IP4, 0),
    "juniper-mlppp-lsq": (130, b"MGC\0\x47" + bytes(7) + IP4, IP4, 0),
    "juniper-mlppp-lsq-6": (130, b"MGC\0\x47\0\0\0\0\x10\0\0" + IP6, IP6, 0),
    "juniper-mlfr-lsq": (131, b"MGC\0\x47" + bytes(7) + IP4, IP4, 0),
    "juniper-mlfr": (131, b"MGC\0\0\x01\x03\xcc" + IP4, IP4, 0),
    "juniper-mlfr-two-bytes": (131, b"MGC\0\0\x01\x03\0\x8e" + IP6, IP6, 0),
    "juniper-mlfr-swapped": (131, b"MGC\0\0\x01\0\x03\xcc" + IP4, IP4, 0),
    "juniper-mfr-lsq": (134, b"MGC\0\x47" + bytes(7) + IP4, IP4, 0),
    "juniper-monitor": (164, b"MGC\0" + bytes(8) + IP4, IP4, 0),
    "juniper-es": (132, b"MGC\0" + bytes(6) + IP4, IP4, 0),
    "dsa": (284, packets.MAC + b"\x40\0\0\x01" + b"\x08\0" + IP4, IP4, 0),
    "dsa-vlan": (284, packets.MAC + b"\x40\0\0\x01" + b"\x81\0" + tag(9, 0x0800) + IP4, IP4, 9),
    "edsa": (285, packets.MAC + b"\xda\xda\0\0\x40\0\0\x01\x86\xdd" + IP6, IP6, 0),
    "broadcom": (281, packets.MAC + b"\x20\0\0\x01" + b"\x08\0" + IP4, IP4, 0),
    "broadcom-before": (282, b"\x20\0\0\x01" + eth(IP4), IP4, 0),
    "edsa-ethernet": (ETH, eth(b"\0\0\x40\0\0\x01\x08\0" + IP4, 0xDADA), IP4, 0),
    "broadcom-ethernet": (ETH, eth(b"\x20\0\0\x01\x08\0" + IP4, 0x8874), IP4, 0),
    "vn-tag": (ETH, eth(bytes(4) + b"\x08\0" + IP4, 0x8926), IP4, 0),
    "cisco-metadata": (ETH, eth(b"\x01\x01\0\x01\0\x05\x08\0" + IP4, 0x8909), IP4, 0),
    "fabricpath": (ETH, eth(b"\x04\x20" + eth(IP4), 0x8903), IP4, 0),
    "fabricpath-vlan": (ETH, eth(b"\x04\x20" + eth(tag(7, 0x0800) + IP4, 0x8100), 0x8903), IP4, 7),
    "arista-64": (ETH, eth(b"\0\1\0\x10" + bytes(8) + b"\x08\0" + IP4, 0xD28B), IP4, 0),
    "arista-48-utc": (
        ETH, eth(b"\0\1\1\x20" + bytes(6) + b"\x81\0" + tag(9, 0x86DD) + IP6, 0xD28B), IP6, 9
    ),
    "macsec": (ETH, eth(b"\0\0\0\0\0\1\x08\0" + IP4 + bytes(16), 0x88E5), IP4, 0),
    "macsec-sci": (
        ETH, eth(b"\x20\0\0\0\0\1" + bytes(8) + b"\x86\xdd" + IP6 + bytes(16), 0x88E5), IP6, 0
    ),
    "nsh": (ETH, eth(b"\x0f\xc2\x02\x01\0\0\1\xff" + IP4, 0x894F), IP4, 0),
    "nsh-6": (ETH, eth(b"\x0f\xc6\x01\x02\0\0\1\xff" + bytes(16) + IP6, 0x894F), IP6, 0),
    "nsh-ethernet": (ETH, eth(b"\x0f\xc2\x02\x03\0\0\1\xff" + eth(IP4), 0x894F), IP4, 0),
    "port-extension": (ETH, eth(bytes(6) + b"\x08\0" + IP4, 0x893F), IP4, 0),
    "backbone-bridge": (ETH, eth(bytes(4) + packets.MAC + b"\x08\0" + IP4, 0x88E7), IP4, 0),
    "802.2-ip": (ETH, eth(b"\6\6\3" + IP4, 3 + len(IP4)), IP4, 0),
    "null-ethertype": (0, struct.pack("<I", 0x86DD) + IP6, IP6, 0),
    "sll-802.2": (113, sll(snap(IP4), 4), IP4, 0),
    "sll-802.11": (113, sll(wireless(snap(IP4), DATA, TO_DS), 0, 801), IP4, 0),
    "sll-radiotap": (
        113, sll(radiotap(wireless(snap(IP4), DATA, TO_DS), None, False), 0, 803), IP4, 0
    ),
    "slip": (8, bytes(16) + IP4, IP4, 0),
    "netanalyzer": (240, b"\0\4\0\0" + eth(IP4), IP4, 0),
    "netanalyzer-preamble": (241, b"\0\4\0\0" + b"\x55" * 7 + b"\xd5" + eth(IP4), IP4, 0),
    "frame-relay-cisco": (107, b"\x18\x41\x08\0" + IP4, IP4, 0),
    "juniper-ggsn-mpls": (133, b"MGC\0\x05\0\0\0" + label(16, True) + IP4, IP4, 0),
    "juniper-ggsn-services": (133, b"MGC\0\x48\xa2\0\0" + bytes(4) + IP4, IP4, 0),
    "juniper-mlppp-lsq-mpls": (
        130, b"MGC\0\x47\0\0\0\0\x20\0\0" + label(16, True) + IP4, IP4, 0
    ),
    "juniper-mlppp-lsq-ppp": (130, b"MGC\x01\x47" + bytes(7) + b"\0\x21" + IP4, IP4, 0),
    "juniper-mlppp-lsq-engine": (130, b"MGC\x01\x47\0\0\0\x03\0\0\0" + IP4, IP4, 0),
    "juniper-mlfr-ls": (131, b"MGC\0\x54\0\0\0\x03\xcc" + IP4, IP4, 0),
    "juniper-es-key": (132, b"MGC\0\0\0\0\x02" + bytes(14) + IP4, IP4, 0),
    # radiotap's bit 31: another word of bits, which tell of fields after the first word's
    "radiotap-two-words": (
        127,
        struct.pack("<BBHIIB", 0, 0, 13, 1 << 31 | 1 << 1, 0, 0) + wireless(snap(IP4), DATA, TO_DS),
        IP4, 0,
    ),
    "radiotap-two-words-clock": (  # which is at a multiple of 8
        127,
        struct.pack("<BBHII12xB", 0, 0, 25, 1 << 31 | 3, 0, 0x20)
        + wireless(b"\0\0" + snap(IP4), QOS, TO_DS, b"\0\0"),
        IP4, 0,
    ),
    "prism-avs": (
        119, struct.pack(">II", 0x80211001, 64) + bytes(56) + wireless(snap(IP4), DATA, 1), IP4, 0,
    ),
    # IEEE 802.5: the first bit of the source tells of a route, whose length is in its first byte
    "token-ring-route": (
        6, b"\x10\x40" + MAC6 + b"\x82" + MAC6[1:] + b"\x06\x10\0\x11\0\x20" + snap(IP4), IP4, 0,
    ),
    "802.3-bridge-tunnel": (ETH, eth(snap(IP4, oui=0x0000F8), 8 + len(IP4)), IP4, 0),
    "pseudowire-6": (ETH, eth(label(100, True) + VENDOR[:12] + b"\x86\xdd" + IP6, 0x8847), IP6, 0),
    "pseudowire-mpls": (
        ETH, eth(label(9, True) + VENDOR[:12] + b"\x88\x47" + label(7, True) + IP4, 0x8847), IP4, 0,
    ),
    "pseudowire-pppoe": (
        ETH, eth(label(9, True) + VENDOR[:12] + b"\x88\x64" + pppoe(IP4, 0x21), 0x8847), IP4, 0,
    ),
    "pseudowire-vlan": (
        ETH, eth(label(9, True) + VENDOR[:12] + b"\x81\0" + tag(9, 0x0800) + IP4, 0x8847), IP4, 9,
    ),
    "pseudowire-qinq": (
        ETH,
        eth(label(9, True) + VENDOR[:12] + b"\x88\xa8" + tag(7, 0x8100) + tag(9, 0x86DD) + IP6,
            0x8847),
        IP6, 7,
    ),
    "pseudowire-word-vlan": (
        ETH,
        eth(label(9, True) + bytes(4) + VENDOR[:12] + b"\x81\0" + tag(9, 0x0800) + IP4, 0x8847),
        IP4, 9,
    ),
    # RFC 4385 section 5: an associated channel has PPP's number of what is in it
    "mpls-channel": (ETH, eth(label(9, True) + b"\x10\0\0\x21" + IP4, 0x8847), IP4, 0),
    "mpls-channel-6": (ETH, eth(label(9, True) + b"\x10\0\0\x57" + IP6, 0x8847), IP6, 0),
    # RFC 2684 section 5.2: bridged Ethernet, with its FCS or without, after 2 bytes of padding
    "atm-bridged": (100, BRIDGED + bytes(2) + eth(IP4), IP4, 0),
    "atm-bridged-fcs": (
        100, snap(bytes(2) + eth(IP6, 0x86DD) + bytes(4), 1, 0x0080C2), IP6, 0,
    ),
    "atm-bridged-vlan": (
        100, BRIDGED + bytes(2) + eth(tag(9, 0x0800) + IP4, 0x8100), IP4, 9,
    ),
    "sunatm-bridged": (123, b"\2\0\0\x23" + BRIDGED + bytes(2) + eth(IP4), IP4, 0),
    "802.3-bridged": (ETH, eth(BRIDGED + bytes(2) + eth(IP4), 24 + len(IP4)), IP4, 0),
    # RFC 2427 section 4.2: the same without padding
    "frame-relay-bridged": (107, b"\x18\x41\3\0\x80" + BRIDGED[3:] + eth(IP4), IP4, 0),
    "frame-relay-snap-6": (107, b"\x18\x41\3\0\x80\0\0\0\x86\xdd" + IP6, IP6, 0),
    # RFC 1701: transparent Ethernet bridging, by its ethertype
    "ethernet-bridged": (ETH, eth(eth(IP4), 0x6558), IP4, 0),
    "vlan-bridged": (ETH, eth(tag(5, 0x6558) + eth(IP6, 0x86DD), 0x8100), IP6, 5),
    "sll-bridged": (113, sll(eth(IP4), 0x6558, 778), IP4, 0),
    "sll2-bridged": (276, sll2(eth(IP4), 0x6558, 778), IP4, 0),
    "cisco-hdlc-bridged": (104, b"\x0f\0\x65\x58" + eth(IP4), IP4, 0),
    # RFC 6325 section 3: a group, hops, nicknames; two words of options
    "trill": (ETH, eth(b"\0\x3f\0\2\0\3" + eth(IP4), 0x22F3), IP4, 0),
    "trill-options": (
        ETH, eth(b"\x08\xbf\0\2\0\3" + bytes(8) + eth(tag(9, 0x86DD) + IP6, 0x8100), 0x22F3),
        IP6, 9,
    ),
    # Linux's batadv_packet.h, version 15
    "batman-unicast": (ETH, eth(b"\x40\x0f\x40\1" + MAC6 + eth(IP4), 0x4305), IP4, 0),
    "batman-4-addresses": (
        ETH, eth(b"\x42\x0f\x40\1" + MAC6 + MAC6 + b"\1\0" + eth(IP4), 0x4305), IP4, 0,
    ),
    "batman-broadcast": (
        ETH, eth(b"\1\x0f\x32\0" + bytes(4) + MAC6 + eth(IP6, 0x86DD), 0x4305), IP6, 0,
    ),
    # RFC 3518: flags, Ethernet; RFC 1638: a LAN's number, where there is the flag 0x40
    "ppp-bridged": (9, b"\xff\3\0\x31\0\1" + eth(IP4), IP4, 0),
    "ppp-bridged-lan": (9, b"\xff\3\0\x31\x40\1\0\0\0\7" + eth(IP6, 0x86DD), IP6, 0),
    # RFC 1990 section 3: begin and end
    "ppp-multilink": (9, b"\xff\3\0\x3d\xc0\0\0\1\0\x21" + IP4, IP4, 0),
    "ppp-multilink-compressed": (9, b"\xff\3\x3d\xc0\0\0\1\x57" + IP6, IP6, 0),
    "pppoe-multilink": (ETH, eth(pppoe(b"\xc0\0\0\1\0\x21" + IP4, 0x3D), 0x8864), IP4, 0),
    "nsh-mpls": (ETH, eth(b"\x0f\xc2\x02\x05\0\0\1\xff" + label(7, True) + IP4, 0x894F), IP4, 0),
    "atm-rfc1483-11": (11, snap(IP4), IP4, 0),
    # https://www.tcpdump.org/linktypes/LINKTYPE_PPP_PPPD.html: 0 or 1, the control byte, a protocol
    "pppd-received": (166, b"\0\x03\0\x21" + IP4, IP4, 0),
    "pppd-sent": (166, b"\1\x03\0\x57" + IP6, IP6, 0),
    "pppd-address": (166, b"\xff\x03\0\x21" + IP4, IP4, 0),
    "pppd-no-address": (166, b"\0\x21" + IP4, IP4, 0),
    "erf-without-length": (197, erf(22, b"")[:10] + bytes(6) + IP4, IP4, 0),
    "ppp-6-compressed": (9, b"\xff\x03\x57" + IP6, IP6, 0),
    "ppp-mpls-multicast": (9, b"\xff\x03\x02\x83" + label(16, True) + IP4, IP4, 0),
    "erf-aal5": (197, erf(4, b"\0\0\0\x20" + snap(IP4)), IP4, 0),
    "erf-mc-aal5": (197, erf(9, bytes(4) + b"\0\0\0\x20" + snap(IP4)), IP4, 0),
    "infiniband-global": (
        247,
        b"\0\x03\0\1" + struct.pack(">H", 30) + b"\0\2" + bytes(40) + b"\x64\0\xff\xff" + bytes(8)
        + bytes(4) + b"\0\0\0\1" + b"\x86\xdd\0\0" + IP6 + bytes(6),
        IP6, 0,
    ),
    # OSI's SAP, then a network layer protocol identifier: RFC 2364 section 5, RFC 2684 section 5.1
    "atm-ppp": (100, OSI + b"\xcf\0\x21" + IP4, IP4, 0),
    "atm-ppp-6": (100, OSI + b"\xcf\0\x57" + IP6, IP6, 0),
    "atm-nlpid": (100, OSI + b"\xcc" + IP4, IP4, 0),
    "atm-nlpid-6": (100, OSI + b"\x8e" + IP6, IP6, 0),
    "802.3-nlpid": (ETH, eth(OSI + b"\xcc" + IP4, 4 + len(IP4)), IP4, 0),
    "sunatm-ppp": (123, b"\2\0\0\x21" + OSI + b"\xcf\0\x21" + IP4, IP4, 0),
    "sunatm-nlpid": (123, b"\2\0\0\x21" + OSI + b"\xcc" + IP4, IP4, 0),
    # https://www.tcpdump.org/linktypes/LINKTYPE_SUNATM.html: 1 is LANE, 2 bytes before Ethernet
    "sunatm-lane": (123, b"\1\0\0\x21\0\1" + eth(IP4), IP4, 0),
    "sunatm-lane-sent": (123, b"\x81\0\0\x21\0\1" + eth(IP6, 0x86DD), IP6, 0),
    # RFC 2364 section 4: PPP alone on a channel
    "sunatm-ppp-alone": (123, b"\0\0\0\x21\0\x21" + IP4, IP4, 0),
    "sunatm-ppp-alone-6": (123, b"\0\0\0\x21\0\x57" + IP6, IP6, 0),
    "frame-relay-ppp": (107, b"\x18\x41\3\xcf\0\x21" + IP4, IP4, 0),  # RFC 1973 section 3
    "juniper-atm1-ppp": (137, b"MGC\x01" + bytes(4) + OSI + b"\xcf\0\x21" + IP4, IP4, 0),
    # RFC 2684 section 5.2, RFC 2427 section 4.2: bridged FDDI and Token Ring, with or without FCS
    "atm-fddi": (100, snap(bytes(3) + FDDI + snap(IP4), 4, 0x0080C2), IP4, 0),
    "atm-fddi-no-fcs": (100, snap(bytes(3) + FDDI + snap(IP4), 10, 0x0080C2), IP4, 0),
    "atm-token-ring": (100, snap(bytes(2) + RING + snap(IP4), 3, 0x0080C2), IP4, 0),
    "atm-token-ring-no-fcs": (100, snap(bytes(2) + RING + snap(IP4), 9, 0x0080C2), IP4, 0),
    "802.3-fddi": (
        ETH, eth(snap(bytes(3) + FDDI + snap(IP4), 4, 0x0080C2), 32 + len(IP4)), IP4, 0,
    ),
    "frame-relay-fddi": (
        107, b"\x18\x41\3\0" + b"\x80" + snap(b"\0" + FDDI + snap(IP4), 10, 0x0080C2)[3:], IP4, 0,
    ),
    "frame-relay-token-ring": (
        107, b"\x18\x41\3\0" + b"\x80" + snap(RING + snap(IP4), 9, 0x0080C2)[3:], IP4, 0,
    ),
    # https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html: by the hardware, radiotap and Frame
    # Relay; Linux's if_ether.h: Ethernet, PPP
    "sll-radiotap-802.2": (
        113, sll(radiotap(wireless(snap(IP4), DATA, TO_DS), None, False), 4, 803), IP4, 0,
    ),
    "sll2-radiotap-802.2": (
        276, sll2(radiotap(wireless(snap(IP4), DATA, TO_DS), None, False), 4, 803), IP4, 0,
    ),
    "sll-frame-relay": (113, sll(b"\x18\x41\3\xcc" + IP4, 4, 770), IP4, 0),
    "sll2-frame-relay": (276, sll2(b"\x18\x41\3\x8e" + IP6, 4, 770), IP6, 0),
    "sll-frame-relay-ethertype": (113, sll(IP4, 0x0800, 770), IP4, 0),
    "sll-ppp": (113, sll(b"\0\x21" + IP4, 7, 512), IP4, 0),
    "sll2-ppp": (276, sll2(b"\0\x57" + IP6, 7, 512), IP6, 0),
    "sll-ethernet": (113, sll(eth(IP4), 3), IP4, 0),
    "sll2-ethernet": (276, sll2(eth(tag(9, 0x86DD) + IP6, 0x8100), 3), IP6, 9),
    # IEEE 802.1CB section 7.8: 2 bytes of zero, a sequence number
    "redundancy-tag": (ETH, eth(b"\0\0\0\7\x08\0" + IP4, 0xF1C1), IP4, 0),
    "vlan-redundancy-tag": (
        ETH, eth(tag(9, 0xF1C1) + b"\0\0\0\7\x86\xdd" + IP6, 0x8100), IP6, 9,
    ),
    "redundancy-tag-vlan": (
        ETH, eth(b"\0\0\0\7\x81\0" + tag(9, 0x0800) + IP4, 0xF1C1), IP4, 9,
    ),
    # draft-ietf-isis-ext-eth: 802.2 by an ethertype
    "ethernet-802.2": (ETH, eth(snap(IP4), 0x8870), IP4, 0),
    "ethernet-802.2-ip": (ETH, eth(b"\6\6\3" + IP4, 0x8870), IP4, 0),
    "ethernet-802.11": (ETH, eth(wireless(snap(IP4), DATA, TO_DS), 0x2452), IP4, 0),
    # Cisco's Inter-Switch Link: a group, the kind 0, the sender, a length; SNAP, the sender's
    # organisation, a VLAN, a port; the frame, and its check sequence after the frame's own
    "isl": (ETH, isl(eth(IP4) + bytes(8), 0x01), IP4, 0),
    "isl-other-group": (ETH, isl(eth(tag(9, 0x86DD) + IP6, 0x8100) + bytes(8), 0x0C), IP6, 9),
    # AX.25 version 2.2 section 3: addresses, the last with its lowest bit set, control, protocol
    "ax25": (3, STATION + LAST_STATION + b"\3\xcc" + IP4, IP4, 0),
    "ax25-repeaters": (3, STATION * 3 + LAST_STATION + b"\3\xcc" + IP4, IP4, 0),
    "ax25-numbered": (3, STATION + LAST_STATION + b"\x2e\xcc" + IP4, IP4, 0),
    "ax25-poll": (3, STATION + LAST_STATION + b"\x13\xcc" + IP4, IP4, 0),
    "ax25-kiss": (202, b"\x10" + STATION + LAST_STATION + b"\3\xcc" + IP4, IP4, 0),
    # RFC 1201: a split flag and a sequence number; an exception; RFC 1051: nothing more; RFC 2497
    "arcnet": (7, b"\1\2\xd4\0\0\1" + IP4, IP4, 0),
    "arcnet-6": (7, b"\1\2\xc4\0\0\1" + IP6, IP6, 0),
    "arcnet-first-part": (7, b"\1\2\xd4\1\0\1" + IP4, IP4, 0),
    "arcnet-exception": (7, b"\1\2\xd4\xff\xff\xff\xd4\0\0\1" + IP4, IP4, 0),
    "arcnet-old": (7, b"\1\2\xf0" + IP4, IP4, 0),
    "arcnet-linux": (129, b"\1\2\0\0\xd4\0\0\1" + IP4, IP4, 0),
    "arcnet-linux-old": (129, b"\1\2\0\0\xf0" + IP4, IP4, 0),
    "clip": (106, IP4, IP4, 0),
    "clip-6": (106, IP6, IP6, 0),
    "clip-802.2": (106, snap(IP4), IP4, 0),
    "clip-18": (18, IP4, IP4, 0),
    "clip-19": (19, IP4, IP4, 0),
    "redback": (32, redback(1, 24, 24) + IP4, IP4, 0),
    "redback-padded": (32, redback(1, 28, 28) + bytes(4) + IP6, IP6, 0),
    "redback-ethernet": (32, redback(1, 24, 38) + eth(IP4), IP4, 0),
    "redback-bridged": (32, redback(3, 24, 38) + eth(tag(9, 0x0800) + IP4, 0x8100), IP4, 9),
    "redback-pppoe": (32, redback(4, 24, 38) + eth(pppoe(IP4, 0x21), 0x8864), IP4, 0),
    "redback-ppp-compressed": (32, redback(1, 24, 26) + b"\0\x57" + IP6, IP6, 0),
    "redback-ppp": (32, redback(1, 24, 28) + b"\xff\3\0\x21" + IP4, IP4, 0),
    "tzsp": (128, b"\1\0\0\1\1" + eth(IP4), IP4, 0),
    "tzsp-fields": (128, b"\1\1\0\1\x0a\1\5\0\1" + eth(IP6, 0x86DD), IP6, 0),
    "tzsp-802.11": (128, b"\1\0\0\x12\1" + wireless(snap(IP4), DATA, TO_DS), IP4, 0),
    # https://www.tcpdump.org/linktypes.html: two addresses of 8 bytes, an ethertype
    "ieee1394": (138, bytes(16) + b"\x08\0" + IP4, IP4, 0),
    "ieee1394-6": (138, bytes(16) + b"\x86\xdd" + IP6, IP6, 0),
    # RFC 4338 section 3: a header of 24 bytes, a network header by its "DF_CTL"
    "fibre-channel": (224, fibre(0x20) + NETWORK + snap(IP4), IP4, 0),
    "fibre-channel-6": (224, fibre(0x20) + NETWORK + snap(IP6, 0x86DD), IP6, 0),
    "fibre-channel-no-network": (224, fibre(0) + snap(IP4), IP4, 0),
    "fibre-channel-delimited": (
        225, b"\xbc\xb5\x56\x56" + fibre(0x20) + NETWORK + snap(IP4) + bytes(8), IP4, 0,
    ),
    # Wireshark's exported packets: fields of type, length and value; 12 names a dissector
    "upper-ip": (252, upper(b"ip\0\0") + IP4, IP4, 0),
    "upper-ip-6": (252, upper(b"ipv6") + IP6, IP6, 0),
    "upper-more": (252, b"\0\x19\0\4\0\0\0\7" + upper(b"ip") + IP4, IP4, 0),
    "upper-ethernet": (252, upper(b"eth_withoutfcs\0\0") + eth(IP4), IP4, 0),
    "upper-ethernet-fcs": (252, upper(b"eth_withfcs\0") + eth(IP4) + bytes(4), IP4, 0),
    "upper-ethernet-maybe": (252, upper(b"eth_maybefcs") + eth(IP4), IP4, 0),
    "upper-802.11": (
        252, upper(b"wlan_withoutfcs\0") + wireless(snap(IP4), DATA, TO_DS), IP4, 0,
    ),
    "upper-ppp": (252, upper(b"ppp\0") + b"\0\x57" + IP6, IP6, 0),
    "upper-802.2": (252, upper(b"llc\0") + snap(IP4), IP4, 0),
    # IEEE 802.3 section 65.1.3: a preamble with the number of a logical link
    "epon": (259, b"\x55\x55\xd5\x55\x55\0\1\x0a" + eth(IP4), IP4, 0),
    # IEEE 802.3br section 99.3: frames that are not split, and first parts of those that can be
    "mpacket": (274, b"\x55" * 7 + b"\xd5" + checked(eth(IP4)), IP4, 0),
    "mpacket-short": (274, b"\x55" * 5 + b"\xd5" + checked(eth(IP4)), IP4, 0),
    "mpacket-e6": (274, b"\x55" * 7 + b"\xe6" + checked(eth(IP4)), IP4, 0),
    "mpacket-4c": (274, b"\x55" * 7 + b"\x4c" + checked(eth(IP6, 0x86DD)), IP6, 0),
    "mpacket-7f": (274, b"\x55" * 7 + b"\x7f" + checked(eth(IP4)), IP4, 0),
    "mpacket-b3": (274, b"\x55" * 7 + b"\xb3" + checked(eth(IP4)), IP4, 0),
}  # fmt: skip
#: What tshark 4.0 shows as bytes only.
NOT_TSHARK = {
    "infiniband", "infiniband-global",  # tshark reads no pcap of it
    "cisco-hdlc-direction", "mpls-alone", "slip", "sll-802.11", "netanalyzer-preamble",
    "ax25-poll",
    "clip-802.2",  # as libpcap reads it
    "sunatm-ppp-alone-6",  # it looks for IPv4
    "ppp-bridged-lan",  # which RFC 3518 does not have any more
    # of Juniper's, these are tcpdump's alone
    "pppd-received", "pppd-sent", "pppd-address", "pppd-no-address", "erf-without-length",
    "juniper-pppoe-atm", "juniper-es", "juniper-es-key", "juniper-monitor", "juniper-mfr-lsq",
    # tags of switches: tcpdump's, and Linux's net/dsa
    "dsa", "dsa-vlan", "edsa", "broadcom", "broadcom-before", "edsa-ethernet", "broadcom-ethernet",
}  # fmt: skip


#: Those that tshark 4.6.9 no longer reads, and 4.4 does: tagged frames after a label.
NOT_LATER_TSHARK = {"pseudowire-vlan", "pseudowire-qinq"}


@pytest.mark.parametrize("name", FOUND)
def test_layer_3(name: str, tmp_path: Path) -> None:
    dlt, data, inner, vlan = FOUND[name]
    packet = packets.packet_of(data, tmp_path, dlt)
    assert packet.ethertype == ETHERTYPE[inner]
    assert packet.vlan_id == vlan
    assert bytes(packet.layer3)[: len(inner)] == inner
    ip = packet.ip if inner is IP4 else packet.ip6
    assert str(ip.src_prefix) == (packets.V4 if inner is IP4 else packets.V6)[0]
    assert (packet.ip is None) == (inner is IP6)
    assert (packet.ip6 is None) == (inner is IP4)
    assert (packet.udp.src_port, packet.udp.dst_port) == (1234, 5678)
    assert bytes(packet.udp.payload)[:7] == b"payload"


@pytest.mark.parametrize("name", FOUND)
def test_cut_anywhere(name: str, tmp_path: Path) -> None:
    """All of a packet's prefixes in one file: IP is there from its first byte on."""
    dlt, data, inner, _ = FOUND[name]
    records = [packets.Record(data[:n], wire=len(data)) for n in range(len(data) + 1)]
    start = data.index(inner)
    for n, packet in enumerate(packets.read_bytes(packets.pcap(records, dlt), tmp_path)):
        ip = packet.ip if inner is IP4 else packet.ip6
        assert (ip is not None) == (n > start)
        assert (packet.udp is not None) == (
            n >= start + inner.index(packets.udp(b"payload", ports=(1234, 5678))) + 2
        )
        assert bytes(packet) == data[:n]


def test_tshark_finds_the_same(tmp_path: Path, tshark: str) -> None:
    content = packets.section()
    for dlt, *_ in FOUND.values():
        content += packets.interface(dlt)
    for i, (_, data, *_) in enumerate(FOUND.values()):
        content += packets.enhanced(data, on=i)
    path = packets.write(tmp_path / "links.pcapng", content)
    fields = ["ip.src", "ipv6.src", "udp.dstport", "ieee8021ad.svid", "ieee8021ad.id", "vlan.id"]
    out = subprocess.run(
        [tshark, "-r", path, "-Tfields", *(f"-e{field}" for field in fields)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [line.split("\t") for line in out.split("\n")[:-1]]
    different = set()
    for name, row, packet in zip(FOUND, rows, packets.read(path), strict=True):
        ip, ip6 = packet.ip, packet.ip6
        mine = [str(ip.src_prefix) if ip else "", str(ip6.src_prefix) if ip6 else "", "5678"]
        outermost = next(filter(None, row[3:]), "0").split(",")[0]
        if [*row[:3], int(outermost)] != [*mine, packet.vlan_id]:
            different.add(name)
    assert different - NOT_LATER_TSHARK == NOT_TSHARK


def test_each_packet_of_an_aggregate_in_a_mesh_has_its_mesh_control(tmp_path: Path) -> None:
    # IEEE 802.11-2020 section 9.3.2.2.3: after the subframe's addresses and length
    subframe = packets.MAC + struct.pack(">H", 14 + len(IP4)) + mesh(0) + snap(IP4)
    packet = packets.packet_of(wireless(subframe, QOS, FROM_DS, b"\x80\x01"), tmp_path, 105)
    assert packet.ip.data == IP4


def test_a_source_address_that_looks_like_an_ethertype(tmp_path: Path) -> None:
    """RFC 4448: where Ethernet may begin at a control word, or after it, it is after it."""
    frame = VENDOR[:6] + b"\0\0\x08\0\x45\0\x08\0" + IP4
    packet = packets.packet_of(eth(label(9, True) + bytes(4) + frame, 0x8847), tmp_path)
    assert packet.ip.data == IP4


ROUTER = bytes.fromhex("00005e00010a 000c29000002")  # to a virtual router: RFC 5798 section 7.3
#: What follows the bottom label, with how many bytes of a control word (RFC 4448 section 4.6).
WORDS = {
    "LLDP": (VENDOR[:12] + b"\x88\xcc" + bytes(46), 0),
    "LLDP after a word": (bytes(4) + VENDOR[:12] + b"\x88\xcc" + bytes(46), 4),
    "LLDP after a number": (b"\0\0\1\2" + VENDOR[:12] + b"\x88\xcc" + bytes(46), 4),
    "a bridge": (bytes.fromhex("0180c2000000") + VENDOR[6:12] + b"\0\x26" + bytes(46), 0),
    "IPX": (VENDOR[:12] + b"\x81\x37" + bytes(46), 0),
    "IPX after a word": (bytes(4) + VENDOR[:12] + b"\x81\x37" + bytes(46), 4),
    "a router's VLAN": (ROUTER + b"\x81\0" + tag(9, 0x0800) + IP4, 0),
    "a router's VLAN after a word": (bytes(4) + ROUTER + b"\x81\0" + tag(9, 0x0800) + IP4, 4),
    # RFC 4385 section 3: flags, begin and end of a fragment, a length; RFC 4623 section 4
    "a generic word": (b"\x0a\x51\0\1" + VENDOR + IP4, 4),
    "a group": (bytes.fromhex("333300000001") + VENDOR[6:12] + b"\x86\xdd" + IP6, 0),
    "every station": (b"\xff" * 6 + VENDOR[6:12] + b"\x08\x06" + ARP, 0),
}


@pytest.mark.parametrize("name", WORDS)
def test_where_ethernet_begins_below_a_label(name: str, tmp_path: Path) -> None:
    below, word = WORDS[name]
    packet = packets.packet_of(eth(label(9, True) + below, 0x8847), tmp_path)
    assert [tunnel.kind for tunnel in packet.tunnels] == ["mpls"]
    assert bytes(packet.inner) == below[word:]


# --- Where there is no IP --------------------------------------------------------------------

NOTHING: dict[str, tuple[int, bytes, int]] = {
    "arp": (ETH, eth(ARP, 0x0806), 0x0806),
    "vlan-arp": (ETH, eth(tag(3, 0x0806) + ARP, 0x8100), 0x0806),
    "spanning-tree": (ETH, eth(b"\x42\x42\x03" + bytes(35), 38), 38),
    "no-ip-by-version": (ETH, eth(b"\x35" + IP4[1:]), 0x0800),
    "ip6-called-ip": (ETH, eth(IP6), 0x0800),
    "802.11-protected": (105, wireless(snap(IP4), DATA, TO_DS | PROTECTED), 0),
    "802.11-no-data": (105, wireless(b"", 0x48, TO_DS), 0),
    "802.11-beacon": (105, wireless(bytes(40), 0x80, 0), 0),
    "ppp-lcp": (9, b"\xff\x03\xc0\x21\1\1\0\4", 0),
    "slarp": (104, b"\x8f\x00\x80\x35" + bytes(18), 0x8035),
    "arista-unknown": (ETH, eth(b"\0\1\0\x30" + bytes(8) + b"\x08\0" + IP4, 0xD28B), 0xD28B),
    "macsec-encrypted": (ETH, eth(b"\x0c\0\0\0\0\1\x08\0" + IP4 + bytes(16), 0x88E5), 0x88E5),
    # more within each other than there ever are
    "macsec-40": (ETH, eth(b"\0\0\0\0\0\1\x88\xe5" * 40 + IP4, 0x88E5), 0),
    "vlan-40": (ETH, eth(tag(1, 0x8100) * 40 + IP4, 0x8100), 0x8100),
    "ppi-40": (192, struct.pack("<BBHI", 0, 0, 8, 192) * 40 + IP4, 0),
    "snap-cisco": (ETH, eth(snap(bytes(20), 0x2000, oui=0x00000C), 28), 28),
    "snap-bridged-token-ring": (ETH, eth(snap(bytes(40), 9, 0x0080C2), 48), 48),
    "snap-bridged-token-bus": (100, snap(bytes(3) + FDDI + snap(IP4), 2, 0x0080C2), 0),
    "snap-bridged-fddi-40": (100, snap(bytes(3) + FDDI, 4, 0x0080C2) * 40 + snap(IP4), 0),
    "atm-is-is": (100, OSI + b"\x83" + IP4, 0),
    "sunatm-lane-control": (123, b"\1\0\0\x21\xff\0" + eth(IP4), 0),
    "sunatm-ppp-lcp": (123, b"\0\0\0\x21\xc0\x21" + IP4, 0),
    "sunatm-ppp-other-version": (123, b"\0\0\0\x21\0\x21" + IP6, 0),
    "ethernet-802.2-other": (ETH, eth(b"\x42\x42\3" + bytes(35), 0x8870), 0x8870),
    "ethernet-802.11-protected": (
        ETH, eth(wireless(snap(IP4), DATA, TO_DS | PROTECTED), 0x2452), 0x2452,
    ),
    "ax25-other-protocol": (3, STATION + LAST_STATION + b"\3\xf0" + IP4, 0),
    "ax25-supervisory": (3, STATION + LAST_STATION + b"\1\xcc" + IP4, 0),
    "ax25-no-end": (3, STATION * 20 + LAST_STATION + b"\3\xcc" + IP4, 0),
    "ax25-arp": (3, STATION + LAST_STATION + b"\3\xcd" + ARP, 0x0806),
    "ax25-kiss-command": (202, b"\1" + STATION + LAST_STATION + b"\3\xcc" + IP4, 0),
    "arcnet-later-part": (7, b"\1\2\xd4\2\0\1" + IP4, 0),
    "arcnet-arp": (7, b"\1\2\xd5\0\0\1" + ARP, 0x0806),
    "arcnet-old-arp": (129, b"\1\2\0\0\xf1" + ARP, 0x0806),
    "arcnet-other": (7, b"\1\2\xfa\0\0\1" + IP4, 0),
    "redback-arp": (32, redback(8, 24, 38) + eth(ARP, 0x0806), 0x0806),
    "redback-other": (32, redback(2, 24, 24) + IP4, 0),
    "tzsp-other-version": (128, b"\2\0\0\1\1" + eth(IP4), 0),
    "tzsp-without-frame": (128, b"\1\0\0\1\1", 0),
    "fibre-channel-later": (224, fibre(0x20, 1) + NETWORK + snap(IP4), 0),
    "fibre-channel-scsi": (224, fibre(0x20, kind=8) + NETWORK + snap(IP4), 0),
    "fibre-channel-security": (224, fibre(0x40) + bytes(8) + snap(IP4), 0),
    "upper-other": (252, upper(b"ipx\0") + IP4, 0),
    "upper-without-end": (252, upper(b"ip\0\0")[:-4], 0),
    "upper-without-name": (252, bytes(4) + IP4, 0),
    "upper-long-name": (252, b"\0\x0c\xff\xffip" + IP4, 0),
    "epon-cut": (259, b"\x55\x55\xd5\x55\x55\0\1", 0),
    "mpacket-later-part": (274, b"\x55" * 6 + b"\x61\xe6" + eth(IP4), 0),
    "mpacket-verify": (274, b"\x55" * 7 + b"\7" + bytes(64), 0),
    "mpacket-preamble": (274, b"\x55" * 7, 0),
    "802.11-in-aggregate": (
        105,
        wireless(
            packets.MAC + b"\0\x60" + snap(wireless(snap(IP4), DATA, TO_DS), 0x2452),
            QOS, FROM_DS, b"\x80\0",
        ),
        0x2452,
    ),
    "isl-40": (ETH, isl(b"", 1) * 40 + eth(IP4), 0),
    "isl-token-ring": (ETH, b"\1\0\x0c\0\0\x10" + isl(eth(IP4), 1)[6:], 8 + 14 + len(IP4)),
    "isl-other-address": (ETH, b"\1\0\x0c\0\1" + isl(eth(IP4), 1)[5:], 8 + 14 + len(IP4)),
    "frame-relay-cisco": (107, b"\x18\x41\3\0\x80\0\0\x0c\x20\0" + IP4, 0),
    "trill-other-version": (ETH, eth(b"\x40\x3f\0\2\0\3" + eth(IP4), 0x22F3), 0x22F3),
    "batman-other-version": (ETH, eth(b"\x40\x0e\x40\1" + MAC6 + eth(IP4), 0x4305), 0x4305),
    "batman-originator": (ETH, eth(b"\0\x0f\x40\1" + bytes(20), 0x4305), 0x4305),
    "ppp-bridged-token-ring": (9, b"\xff\3\0\x31\0\3" + eth(IP4), 0),
    "ppp-multilink-begin": (9, b"\xff\3\0\x3d\x80\0\0\1\0\x21" + IP4, 0),
    "ppp-multilink-40": (9, b"\xff\3" + b"\0\x3d\xc0\0\0\1" * 40 + b"\0\x21" + IP4, 0),
    "bridged-40": (ETH, eth(b"", 0x6558) * 40 + eth(IP4), 0),
    "snap-length": (ETH, eth(snap(IP4, 1500), 28), 28),
    "ipnet-other": (226, bytes([1, 3]) + bytes(22) + IP4, 0),
    "infiniband-raw": (247, bytes(28) + b"\x08\0\0\0" + IP4, 0),
    "infiniband-send": (247, b"\0\x02" + bytes(6) + b"\x04" + bytes(19) + b"\x08\0\0\0" + IP4, 0),
    "infiniband-global-cut": (247, b"\0\x03" + bytes(26) + b"\x08\0\0\0", 0),
    "juniper-atm1-management": (137, b"MGC\x01\x80\0\0\0" + snap(IP4), 0),
    "juniper-atm2-management": (135, b"MGC\x01" + bytes(7) + b"\x10" + snap(IP4), 0),
    "juniper-mlfr-engine": (131, b"MGC\0\x47\0\0\0\x03\0\0\0" + IP4, 0),
    "juniper-mlfr-osi": (131, b"MGC\0\0\x01\x03\x81" + IP4, 0),
    "pktap-no-packet": (258, struct.pack("<III", 108, 2, 1) + bytes(96) + eth(IP4), 0),
    "pktap-short": (258, struct.pack("<III", 8, 1, 1) + eth(IP4), 0),
    "pktap-long": (258, struct.pack("<III", 5000, 1, 1) + bytes(96) + eth(IP4), 0),
    "ppi-short": (192, struct.pack("<BBHI", 0, 0, 4, 1) + eth(IP4), 0),
    "frame-relay-osi": (107, b"\x18\x41\x03\x81" + IP4, 0),
    "frame-relay-long-address": (107, b"\x18\x40\x40\x40\x40\x41\x03\xcc" + IP4, 0),
    "frame-relay-padding-alone": (107, b"\x18\x41\x03\0", 0),
    "avs-long": (163, struct.pack(">II", 0x80211001, 5000) + bytes(56) + snap(IP4), 0),
    "radiotap-no-second-word": (127, struct.pack("<BBHI", 0, 0, 8, 1 << 31), 0),
    "erf-metadata": (197, erf(27, bytes(20)), 0),
    "erf-unknown": (197, erf(40, IP4), 0),
    "arista-other": (ETH, eth(b"\0\2\0\x10" + bytes(8) + b"\x08\0" + IP4, 0xD28B), 0xD28B),
    "802.2-other": (ETH, eth(b"\6\7\3" + IP4, 3 + len(IP4)), 3 + len(IP4)),
    "juniper-ggsn-nothing": (133, b"MGC\0\xcb\0\0\0", 0),
    "usb": (220, bytes(80), 0),
    "nflog-no-attribute": (239, b"\2\0\0\0" + struct.pack("<HH", 2, 8) + IP4, 0),
    "juniper-mlppp-unknown": (130, b"MGC\0\x47\0\0\0\0\x70\0\0" + IP4, 0),
    "unknown": (65000, IP4, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", NOTHING)
def test_no_ip(name: str, tmp_path: Path) -> None:
    dlt, data, ethertype = NOTHING[name]
    packet = packets.packet_of(data, tmp_path, dlt)
    for layer in ("ip", "ip6", "tcp", "udp", "icmp", "icmp6", "sctp", "transport"):
        assert getattr(packet, layer) is None
    assert packet.proto == 0
    assert packet.ethertype == ethertype
    assert bytes(packet) == data
    assert (packet.tcp_payload, packet.udp_payload) == (None, None)


def test_sctp_without_ip(tmp_path: Path, tshark: str) -> None:
    """RFC 9260 section 3: ports, a tag, a checksum; a chunk that accepts a cookie."""
    data = struct.pack(">HHII", 1234, 5678, 7, 0) + b"\x0b\0\0\4"
    packet = packets.packet_of(data, tmp_path, 248)
    assert (packet.ip, packet.ip6, packet.layer3) == (None, None, None)
    assert (packet.proto, packet.sctp.src_port, packet.sctp.dst_port) == (132, 1234, 5678)
    assert [chunk.type for chunk in packet.sctp.chunks] == [11]
    path = packets.write(tmp_path / "sctp.pcap", packets.pcap([data[:n] for n in (0, 2, 16)], 248))
    table = plt.columns(f"pcapfile:{path}", ["proto", "src_port", "dst_port"]).table()
    assert table["src_port"].tolist() == [0, 1234, 1234]
    assert table["dst_port"].tolist() == [0, 0, 5678]
    command = [tshark, "-r", path, "-Tfields", "-esctp.srcport", "-esctp.dstport"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert out.split("\n")[2] == "1234\t5678"


def test_what_is_no_ip_still_has_a_layer_3(tmp_path: Path) -> None:
    packet = packets.packet_of(eth(tag(3, 0x0806) + ARP, 0x8100), tmp_path)
    assert bytes(packet.layer3) == ARP
    assert packet.vlan_id == 3
    assert packet.layer2.data[:12] == packets.MAC


# --- Lengths and directions ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fcs"),
    [
        ("ethernet", 4),
        ("vlan", 4),
        ("radiotap", 4),
        ("radiotap-clock", 4),
        ("radiotap-fcs", 0),
        ("raw", 0),
        ("sll", 0),
        ("802.11", 0),
        ("ppp", 0),
    ],
)
def test_wire_length_counts_the_fcs(name: str, fcs: int, tmp_path: Path) -> None:
    dlt, data, *_ = FOUND[name]
    assert packets.packet_of(data, tmp_path, dlt).wire_len == len(data) + fcs
    assert packets.packet_of(data, tmp_path, dlt, wire=9000).wire_len == 9000 + fcs


def test_wire_length_of_a_cooked_loopback_frame(tmp_path: Path) -> None:
    data = sll(eth(IP4), 0x0060, 772)
    packet = packets.packet_of(data, tmp_path, 113)
    assert packet.wire_len == len(data) + 4
    assert packet.udp.dst_port == 5678


@pytest.mark.parametrize(
    ("dlt", "data", "direction"),
    [
        (113, sll(IP4, 0x0800, kind=0), "INCOMING"),
        (113, sll(IP4, 0x0800, kind=4), "OUTGOING"),
        (276, sll2(IP4, 0x0800, kind=0), "INCOMING"),
        (276, sll2(IP4, 0x0800, kind=4), "OUTGOING"),
        (117, bytes([61, 2]) + bytes(58) + b"\x01" + bytes(3) + IP4, "INCOMING"),
        (117, bytes([61, 2]) + bytes(58) + b"\x02" + bytes(3) + IP4, "OUTGOING"),
        (117, bytes([61, 2]) + bytes(58) + b"\x03" + bytes(3) + IP4, "OTHER"),
        (204, b"\0\xff\x03\0\x21" + IP4, "INCOMING"),
        (204, b"\1\xff\x03\0\x21" + IP4, "OUTGOING"),
        # https://www.tcpdump.org/linktypes/LINKTYPE_PPP_PPPD.html
        (166, b"\0\x03\0\x21" + IP4, "INCOMING"),
        (166, b"\1\x03\0\x21" + IP4, "OUTGOING"),
        (166, b"\xff\x03\0\x21" + IP4, "UNKNOWN"),
        (166, b"\0\x21" + IP4, "UNKNOWN"),
        (166, b"\0", "UNKNOWN"),
        (178, b"MGC\1" + eth(IP4), "INCOMING"),
        (178, b"MGC\0" + eth(IP4), "OUTGOING"),
        (178, eth(IP4), "UNKNOWN"),
        (ETH, eth(IP4), "UNKNOWN"),
        (113, b"\0", "UNKNOWN"),
        (276, bytes(10), "UNKNOWN"),
        (117, bytes(60), "UNKNOWN"),
        (204, b"", "UNKNOWN"),
    ],
)
def test_direction(dlt: int, data: bytes, direction: str, tmp_path: Path) -> None:
    packet = packets.packet_of(data, tmp_path, dlt)
    assert packet.direction == getattr(plt, "TRACE_DIR_" + direction)


@pytest.mark.parametrize(
    ("dlt", "linktype"),
    [
        (1, "ETH"),
        (105, "80211"),
        (104, "HDLC_POS"),
        (101, "NONE"),
        (12, "NONE"),
        (100, "LLCSNAP"),
        (9, "PPP"),
    ],
)
def test_link_type(dlt: int, linktype: str, tmp_path: Path) -> None:
    packet = packets.packet_of(IP4, tmp_path, dlt)
    assert packet.linktype == getattr(plt, "TRACE_TYPE_" + linktype)


def test_ixia(tmp_path: Path) -> None:
    """Ixia's magic numbers: 4 bytes more after the file header, nano- or microseconds.

    The nanoseconds are Wireshark's since its issue 14073; tshark 4.0 takes them for microseconds.
    """
    for magic, unit in ((0x1C0001AC, 1), (0x1C0001AB, 1000)):
        for order in "<>":
            content = packets.pcap([packets.Record(eth(IP4), fraction=5)] * 2, order=order)
            content = struct.pack(order + "I", magic) + content[4:24] + bytes(4) + content[24:]
            read = packets.read_bytes(content, tmp_path, "pcapfile:")
            assert [bytes(p) for p in read] == [eth(IP4)] * 2
            assert read[0].time_ns == packets.EPOCH * 10**9 + 5 * unit


@pytest.mark.parametrize("size", [24, 25, 27])
def test_an_ixia_file_that_is_cut_in_its_header(size: int, tmp_path: Path) -> None:
    """Four bytes come after those of a pcap file's header, the length of the records."""
    content = packets.pcap([], magic=0x1C0001AC) + bytes(4)
    path = packets.write(tmp_path / "trace", content[:size])
    got, error = packets.until_error(path)
    assert got == []
    assert error.endswith(f"the trace is cut within its file header: {size} of 28 bytes are there")


@pytest.mark.parametrize("count", [1, 2, 20])
@pytest.mark.parametrize(("magic", "more"), [
    (0xA1B2C3D4, 0), (0xA1B2C3D4, 4), (0xA1B2C3D4, 8), (0xA1B2CD34, 8), (0xA1B2CD34, 12),
])  # fmt: skip
def test_longer_packet_headers(magic: int, more: int, count: int, tmp_path: Path) -> None:
    """Nokia's headers have 4 bytes more, Kuznetzov's 8 or 12; only the packets tell."""
    content = packets.pcap([], magic=magic)
    frames = [eth(IP4) + bytes(n) for n in range(count)]
    for n, frame in enumerate(frames):
        content += struct.pack("<IIII", packets.EPOCH + n, 7, len(frame), len(frame))
        content += b"\x02\0\0\0\x08\0\0\0\0\0\0\0"[:more] + frame
    read = packets.read_bytes(content, tmp_path, "pcapfile:")
    assert [bytes(p) for p in read] == frames
    assert [p.ts_sec for p in read] == [packets.EPOCH + n for n in range(count)]


def test_headers_that_are_not_longer(tmp_path: Path) -> None:
    """A field of a later packet that can't be right is no sign of longer headers.

    With 8 bytes more a second packet would begin in the first bytes of the second one, an Ethernet
    address of IPv6 multicast, and have a captured length of 0x3333.
    """
    frame = bytes.fromhex("333300000005c2001ffa000186dd") + bytes(60)
    content = b"".join(
        struct.pack("<IIII", packets.EPOCH + n, microseconds, len(frame), len(frame)) + frame
        for n, microseconds in enumerate([0, 5, 1_756_221, 7])
    )
    read = packets.read_bytes(packets.pcap([]) + content, tmp_path, "pcapfile:")
    assert [bytes(p) for p in read] == [frame] * 4
    assert [p.time_ns // 1000 - packets.EPOCH * 10**6 for p in read] == [
        0, 1_000_005, 3_756_221, 3_000_007,
    ]  # fmt: skip


#: As many bytes as headers of Nokia's or Kuznetzov's have more would make a whole file of such.
STRAY = sorted({*range(1, 32)} - {4, 8, 24})


@pytest.mark.parametrize("seconds", [0, packets.EPOCH])
@pytest.mark.parametrize("byte", [b"\0", b"\xff", b"\5"])
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B2CD34])
def test_stray_bytes_at_the_end_are_no_longer_headers(
    magic: int, byte: bytes, seconds: int, tmp_path: Path
) -> None:
    """Too few for a record, they are no packet by any header, and none is likelier for them."""
    content = packets.pcap([packets.Record(eth(IP4), seconds, 5)], magic=magic)
    for count in STRAY:
        path = packets.write(tmp_path / "trace", content + byte * count)
        first, *_ = packets.until_error(f"pcapfile:{path}")[0]
        assert bytes(first) == eth(IP4), count


def test_a_header_that_is_cut_after_one_packet(tmp_path: Path) -> None:
    """By what Nokia's headers have more, it could be the end of one packet of such."""
    content = packets.pcap([packets.Record(eth(IP4))] * 2)
    whole = len(packets.pcap([eth(IP4)]))
    for count in STRAY:
        path = packets.write(tmp_path / "trace", content[: whole + count])
        got, error = packets.until_error(f"pcapfile:{path}")
        assert [bytes(packet) for packet in got] == [eth(IP4)], count
        assert "cut within a packet" in error


def test_fcs_of_a_pcap_header(tmp_path: Path) -> None:
    """Bit 26 of the network field: the FCS was captured; its words in the highest four bits."""
    frame = eth(IP4) + b"\1\2\3\4"
    content = bytearray(packets.pcap([frame], order="="))
    content[20:24] = struct.pack("=I", 1 | 1 << 26 | 2 << 28)
    [packet] = packets.read_bytes(bytes(content), tmp_path, "pcapfile:")
    assert packet.wire_len == len(frame)
    assert bytes(packet.udp_payload) == b"payload"
    out = tmp_path / "out.pcap"
    with_fcs = plt.output_trace(f"pcapfile:{out}")
    with_fcs.start_output()
    with_fcs.write_packet(packet)
    with_fcs.close_output()
    assert out.read_bytes() == bytes(content)[:16] + out.read_bytes()[16:20] + bytes(content)[20:]


@pytest.mark.parametrize("told", [4, 32])  # bytes, as in the draft's example; bits, as in its words
def test_fcs_of_a_pcapng_option(told: int, tmp_path: Path) -> None:
    frame = eth(IP4) + b"\1\2\3\4"
    options = struct.pack("<HHB3xHH", 13, 1, told, 0, 0)
    content = packets.section() + packets.interface(options=options) + packets.enhanced(frame)
    [packet] = packets.read_bytes(content, tmp_path, "pcapfile:")
    assert packet.wire_len == len(frame)


@pytest.mark.parametrize("proto", [33, 136])  # DCCP, UDP-Lite
def test_ports(proto: int, tmp_path: Path) -> None:
    frame = eth(packets.ipv4(UDP + bytes(8), proto))
    path = packets.write(tmp_path / "ports.pcap", packets.pcap([frame]))
    table = plt.columns(f"pcapfile:{path}", ["src_port", "dst_port"]).table()
    assert (table["src_port"].tolist(), table["dst_port"].tolist()) == ([1234], [5678])


@pytest.mark.parametrize("name", FOUND)
def test_filters(name: str, tmp_path: Path) -> None:
    """A filter compiles for every link type, by libpcap or from layer 3 on."""
    dlt, data, *_ = FOUND[name]
    packet = packets.packet_of(data, tmp_path, dlt)
    if name in {"ppi-ethernet", "ppi-raw"}:  # libpcap takes PPI's packets for 802.11
        assert packet.apply_filter(plt.filter("len > 0")) is False
    else:
        assert packet.apply_filter(plt.filter("len > 0")) is True
    if name == "dsa-vlan":  # libpcap 1.11 knows DSA, and asks for "vlan" before what a tag hides
        return
    if name in {"pppd-received", "pppd-sent"} or dlt in {197, 242, 247, 281, 282, 284, 285}:
        results = [packet.apply_filter(plt.filter(f"udp port {n}")) for n in (5678, 9)]
        assert results == [True, False]


def test_the_documented_table() -> None:
    """doc/linktypes.md has the rows of the table in the source, in its order."""
    root = Path(__file__).parents[2]
    source = (root / "src/packet/linktypes.h").read_text().replace("\\\n", " ")
    pattern = r'X\((\w+),\s*(\d+),\s*\w+,\s*(\w+),\s*\w+,\s*\w+,\s*\w+,\s*"([^"]*)"\)'
    rows = re.findall(pattern, source)
    table = (root / "doc/linktypes.md").read_text().split("|---|---|---|---|\n")[1].split("\n\n")[0]
    found = [tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in table.split("\n")]
    assert len(rows) > 60
    assert found == rows


@pytest.mark.parametrize(
    "name", ["vlan", "vlan-mpls", "vlan-pppoe", "sll-vlan", "qinq", "dsa-vlan"]
)
def test_data_lacks_four_bytes_of_a_plain_tag_alone(name: str, tmp_path: Path) -> None:
    """As its docstring says: of one 802.1Q tag in Ethernet, with layer 3 after it."""
    dlt, frame, *_ = FOUND[name]
    packet = packets.packet_of(frame, tmp_path, dlt)
    assert bytes(packet) == frame
    start = len(frame) - len(bytes(packet.layer2))
    assert packet.data == frame[start : len(frame) - 4 if name == "vlan" else None]
    assert packet.layer2.data == packet.data
