/* What pcap files are made of (draft-ietf-opsawg-pcap), for their reader and their writer. */
#ifndef PLT_PCAPFILE_H
#define PLT_PCAPFILE_H

enum { PCAP_FILE_HEADER = 24, PCAP_PACKET_HEADER = 16 };
enum { PCAP_MAJOR = 2, PCAP_MINOR = 4, AIX_MINOR = 2, DGUX_MAJOR = 543 };

/* A capture length above this is damage: libpcap's own limit for the largest link types. */
#define MAX_CAPTURE_LENGTH ((uint32_t)128 << 20)

enum pcap_magic {
    PCAP_MICRO = 0xa1b2c3d4,
    PCAP_NANO = 0xa1b23c4d,
    PCAP_MODIFIED = 0xa1b2cd34, /* Kuznetzov's: 8 or 12 bytes more before each packet */
    /* Ixia's, with 4 bytes more after the file header.  That of its hardware has nanoseconds, and
     * is read so by Wireshark since its issue 14073; Wireshark 4.0 takes them for microseconds, and
     * shows times that go back. */
    PCAP_IXIA_NANO = 0x1c0001ac,
    PCAP_IXIA_MICRO = 0x1c0001ab
};

/* What the network field says besides the link type (section 4): bit 26 that an FCS was captured,
 * the highest four how many 16-bit words it has. */
enum { PCAP_LINKTYPE_MASK = 0x03ffffff, PCAP_HAS_FCS = 0x04000000, PCAP_FCS_SHIFT = 28 };

#endif
