/* What mDNS makes of DNS's fields. */
#ifndef PLDNS_MDNS_H
#define PLDNS_MDNS_H

/* The top bit of a class in mDNS: of a record, that caches are to drop what they have (RFC 6762
 * section 10.2); of a question, that it wants a unicast response (section 5.4). */
#define PLDNS_CLASS_MDNS 0x8000U

#endif
