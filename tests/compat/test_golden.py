"""The golden dumps: what the original said of its traces, every attribute of every packet.

The comparing tool, part of the corpus, names the fields on which the documented API departs from
the original on purpose; nothing else may differ.
"""

import re
import subprocess
import sys
from pathlib import Path

#: What the tool does not know of yet.  Cisco HDLC under PPP's number and Cisco FabricPath: layers
#: are found where the original found none, and test_tshark.py has what is right there.  NSEC3: the
#: fields of rdata are joined by single blanks.
DEPARTURES = {"BGP_Cisco_hdlc_slarp.pcap", "ajp.pcap", "dns_fragmented.pcap"}


def test_nothing_differs_from_the_golden_dumps(corpus: Path) -> None:
    tool = corpus / "tools" / "compare_golden.py"
    dumps = len([*(corpus / "golden").glob("*.jsonl.gz")])
    run = subprocess.run([sys.executable, str(tool)], capture_output=True, text=True, check=False)
    said = run.stdout + run.stderr
    counts = re.search(r"(\d+) traces agree, (\d+) differ, 0 not found", said)
    assert counts, said
    assert sum(map(int, counts.groups())) == dumps
    assert set(re.findall(r"^(\S+):$", said, re.MULTILINE)) <= DEPARTURES, said
