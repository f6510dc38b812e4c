"""How long an IP packet and what it carries are, in plain Python over the per-packet API."""

import plt

NO_NEXT_HEADER, HOP_BY_HOP, JUMBO = 59, 0, 0xC2
FCS = {plt.TRACE_TYPE_ETH: 4, plt.TRACE_TYPE_80211_RADIO: 4}


def jumbo_length(layer3: bytes) -> int:
    """The length in a jumbo payload option (RFC 2675), 0 without one."""
    options = layer3[42 : 40 + (layer3[41] + 1) * 8] if len(layer3) >= 48 else b""
    while len(options) >= 2:
        if options[0] == 0:
            options = options[1:]
        elif options[0] == JUMBO and options[1] == 4 and len(options) >= 6:
            return int.from_bytes(options[2:6], "big")
        else:
            options = options[2 + options[1] :]
    return 0


def told_length(pkt: plt.packet, layer3: bytes) -> int:
    """The IP packet's length by its header, 0 where that says nothing.

    Where it says less than a header it is that, as tshark's: nothing follows.
    """
    if pkt.ip is not None:
        told = int.from_bytes(layer3[2:4], "big")
        return max(20, (layer3[0] & 15) * 4, told) if told else 0
    payload = int.from_bytes(layer3[4:6], "big")
    if payload == 0 and layer3[6] == HOP_BY_HOP:
        payload = jumbo_length(layer3)
    return payload + 40 if payload or layer3[6] == NO_NEXT_HEADER else 0


def ip_length(pkt: plt.packet) -> int:
    """The header's word where the wire length allows it, else what the wire length leaves."""
    layer3 = bytes(pkt.layer3.data)
    told = told_length(pkt, layer3)
    if pkt.linktype in (plt.TRACE_TYPE_ATM, plt.TRACE_TYPE_AAL5):  # the wire length is a cell's
        return told or len(layer3)
    whole = len(bytes(pkt))
    wire = pkt.wire_len - FCS.get(pkt.linktype, 0) if pkt.wire_len >= whole else whole
    room = wire - (whole - len(layer3))
    return told if 0 < told <= room else room


def payload_length(pkt: plt.packet) -> int | None:
    """What TCP or UDP carries; None where there is neither, or its header is malformed or cut."""
    above = pkt.tcp or pkt.udp
    if above is None or (pkt.ip or pkt.ip6) is None:
        return None
    header = bytes(above.data)
    before = len(bytes(pkt.layer3.data)) - len(header)
    length = ip_length(pkt) - before
    header = header[: max(length, 0)]
    size = 8
    if pkt.tcp is not None:
        size = (header[12] >> 4) * 4 if len(header) > 12 else 0
        if size < 20:
            return None
    elif len(header) >= 6 and (told := int.from_bytes(header[4:6], "big")):
        length = min(length, max(8, told))
    return length - size if len(header) >= 2 and size <= length else None
