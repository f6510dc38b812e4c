import sys

import natkit
import plt

table = natkit.flows(sys.argv[1], filter=plt.where("tcp"))
for f in table.top(5, by="ip_bytes"):
    ends = f"{f.src_prefix} {f.src_port} {f.dst_prefix} {f.dst_port}"
    print(ends, f.fwd_ip_bytes, f.rev_ip_bytes)
