/* What pcapng files are made of (draft-ietf-opsawg-pcapng), for their reader and their writer. */
#ifndef PLT_PCAPNGFILE_H
#define PLT_PCAPNGFILE_H

enum pcapng_block {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 2, /* obsolete */
    BLOCK_SIMPLE = 3,
    BLOCK_STATISTICS = 5,
    BLOCK_ENHANCED = 6
};

enum { PCAPNG_MAGIC = 0x1a2b3c4d, BLOCK_HEADER = 8, BLOCK_TRAILER = 4 };

enum pcapng_option {
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    EPB_FLAGS = 2,
    SHB_USERAPPL = 4,
    IF_TSRESOL = 9,
    IF_FCSLEN = 13,
    IF_TSOFFSET = 14,
    ISB_IFDROP = 5,
    ISB_OSDROP = 7
};

/* The word in the option epb_flags (section 4.3.1): the direction, and after the kind of reception
 * how many bytes of FCS the packet has, 0 where that is not said. */
enum pcapng_flags { FLAGS_INBOUND = 1, FLAGS_OUTBOUND = 2, FLAGS_FCS_SHIFT = 5, FLAGS_FCS = 0xf };

#endif
