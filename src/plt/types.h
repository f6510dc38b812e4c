/* The Python types of plt: their numbers, their specs, and the tables of their headers. */
#ifndef PLT_TYPES_H
#define PLT_TYPES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

struct field;

/* The Python types, one number each; VIEW_* up to VIEW_COUNT share struct view. */
enum view_type {
    VIEW_PACKET,
    VIEW_DATA,
    VIEW_LAYER2,
    VIEW_LAYER3,
    VIEW_TRANSPORT,
    VIEW_ARP,
    VIEW_INTERNET,
    VIEW_IP,
    VIEW_IP6,
    VIEW_TCP,
    VIEW_UDP,
    VIEW_SCTP,
    VIEW_CHUNK,
    VIEW_ICMP,
    VIEW_ECHO,
    VIEW_REDIRECT,
    VIEW_ICMP6,
    VIEW_ECHO6,
    VIEW_TOOBIG6,
    VIEW_PARAM6,
    VIEW_NEIGHBOUR6,
    VIEW_COUNT
};

/* Made by PyInit__plt(), each type by the file that is named like it. */
extern PyType_Spec packet_spec, data_spec, layer2_spec, layer3_spec, transport_spec, internet_spec,
    arp_spec, ip_spec, ip6_spec, tcp_spec, udp_spec, sctp_spec, chunk_spec, icmp_spec, echo_spec,
    redirect_spec, icmp6_spec, echo6_spec, toobig6_spec, param6_spec, neighbour6_spec;
extern PyType_Spec trace_spec, filter_spec, output_spec;

/* The rows of a header, in the file of its type. */
struct field_table {
    enum view_type type;
    const struct field *const *rows; /* ends with NULL */
};

extern const struct field_table arp_table, ip_table, ip6_table, tcp_table, udp_table, sctp_table,
    chunk_table, icmp_table, echo_table, icmp6_table, echo6_table, toobig6_table, param6_table;

#endif
