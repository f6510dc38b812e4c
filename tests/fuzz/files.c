/* A file of every format but pcapng that plt has a reader of: pcap in all its variants, ERF, TSH,
 * the legacy formats of DAG cards, DUCK.  Read at once and piece by piece.
 *
 * An input: the format, how many bytes come at a time, then the file. */
#include "reading.h"

static struct source *(*const readers[])(void) = {
    pcap_source_new,      erf_source_new,       tsh_source_new, legacyatm_source_new,
    legacyeth_source_new, legacypos_source_new, duck_source_new};

/* Whether a file is read in the same way whatever comes at a time.  The variants of pcap that have
 * the same magic number are told apart by the packets that came with the file header. */
static bool is_plain(const uint8_t *data, size_t size)
{
    static const uint8_t several[][4] = {{0xa1, 0xb2, 0xc3, 0xd4},
                                         {0xd4, 0xc3, 0xb2, 0xa1},
                                         {0xa1, 0xb2, 0xcd, 0x34},
                                         {0x34, 0xcd, 0xb2, 0xa1}};
    for (size_t i = 0; i < sizeof(several) / sizeof(several[0]); i++)
        if (size >= 4 && memcmp(data, several[i], 4) == 0)
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = {data, size};
    uint8_t reader = take_byte(&in);
    size_t step = (size_t)take_byte(&in) + 1;
    uint8_t *copy = copy_of(in.data, in.size);
    pcap_recognise(copy, in.size);
    erf_recognise(copy, in.size);
    tsh_recognise(copy, in.size);
    reader %= sizeof(readers) / sizeof(readers[0]);
    read_both_ways(readers[reader], copy, in.size, step, reader > 0 || is_plain(copy, in.size));
    free(copy);
    return 0;
}
