"""The flows that nfstream finds in traces, as JSON: a line for each trace that it reads.

It forks, and so runs in a process of its own.
"""

import json
import sys

from nfstream import NFStreamer

NEVER = 10**6  # seconds
KEY = ("src_ip", "src_port", "dst_ip", "dst_port", "protocol", "vlan_id")


def flows(path: str) -> list[dict[str, object]] | None:
    """By IP lengths (accounting_mode 1), without timeouts and without a look at payloads."""
    settings = {"accounting_mode": 1, "idle_timeout": NEVER, "active_timeout": NEVER}
    analysis = {"statistical_analysis": True, "splt_analysis": 20, "n_dissections": 0}
    try:
        found = list(NFStreamer(source=path, n_meters=1, **settings, **analysis))
    except ValueError:  # a format that libpcap does not know
        return None
    if not found:
        return []
    known = found[0].keys()
    names = [name for name in known if name.endswith(("_ps", "_ms", "_packets"))]
    return [
        {name: getattr(flow, name) for name in (*KEY, *names, "splt_direction")} for flow in found
    ]


def main() -> None:
    for path in sys.argv[1:]:
        print(json.dumps({"path": path, "flows": flows(path)}), flush=True)


if __name__ == "__main__":
    main()
