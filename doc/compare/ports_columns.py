import sys

import duckdb

import plt

FIELDS = ["src_port", "dst_port", "pkt_len", "ip6.payload_len"]
tcp = plt.columns(sys.argv[1], FIELDS, filter=plt.where("tcp")).table().to_arrow()
rows = duckdb.sql("""
    select unnest(list_distinct([src_port, dst_port])) as port,
           sum(coalesce(pkt_len, 40 + "ip6.payload_len")) as octets
    from tcp group by port order by octets desc limit 5
""").fetchall()
for port, n in rows:
    print(port, n)
