import gzip
import shutil
import sys
from collections import Counter
from tempfile import NamedTemporaryFile

from nfstream import NFStreamer

# bytes of IP, no look at applications, and what is in tunnels is left there
OPTIONS = {"accounting_mode": 1, "n_dissections": 0, "decode_tunnels": False}

octets = Counter()
with gzip.open(sys.argv[1]) as file, NamedTemporaryFile(suffix=".pcap") as plain:
    shutil.copyfileobj(file, plain)
    plain.flush()
    for flow in NFStreamer(plain.name, **OPTIONS):
        if flow.protocol == 6:
            for port in {flow.src_port, flow.dst_port}:
                octets[port] += flow.bidirectional_bytes
for port, n in octets.most_common(5):
    print(port, n)
