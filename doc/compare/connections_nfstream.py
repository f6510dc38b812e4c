import gzip
import shutil
import sys
from tempfile import NamedTemporaryFile

from nfstream import NFStreamer

# bytes of IP, no look at applications, and what is in tunnels is left there
OPTIONS = {"accounting_mode": 1, "n_dissections": 0, "decode_tunnels": False}

flows = []
with gzip.open(sys.argv[1]) as file, NamedTemporaryFile(suffix=".pcap") as plain:
    shutil.copyfileobj(file, plain)
    plain.flush()
    flows = [flow for flow in NFStreamer(plain.name, **OPTIONS) if flow.protocol == 6]
for f in sorted(flows, key=lambda flow: flow.bidirectional_bytes, reverse=True)[:5]:
    print(f.src_ip, f.src_port, f.dst_ip, f.dst_port, f.src2dst_bytes, f.dst2src_bytes)
