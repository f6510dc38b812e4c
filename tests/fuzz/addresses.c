/* The text of addresses: one by one as the C library has it, and a column of them.
 *
 * An input: of each address its version (0 for none) and 16 bytes. */
#include "fuzz.h"

#include "common/addresstext.h"
#include "common/column.h"
#include "common/iptext.h"
#include "where/scan.h"

#include <arpa/inet.h>

static size_t put_text(char *to, const uint8_t *address, bool v6)
{
    char *end = v6 ? put_ipv6(to, address) : put_ipv4(to, address);
    return (size_t)(end - to);
}

/* It is read back to the same bytes, here and by inet_pton(); and it is what inet_ntop() writes,
 * but for the IPv4-compatible ::/96. */
static void check_text(const uint8_t *address, bool v6)
{
    char *text = malloc(ADDRESS_TEXT_SIZE);
    char theirs[INET6_ADDRSTRLEN];
    uint8_t read[16];
    struct prefix prefix;
    static const uint8_t zeroes[12];
    if (!text)
        abort();
    size_t len = put_text(text, address, v6);
    CLAIM(len < ADDRESS_TEXT_SIZE);
    CLAIM(scan_prefix(text, len, &prefix));
    CLAIM(prefix.version == (v6 ? 6 : 4) && memcmp(prefix.bytes, address, v6 ? 16 : 4) == 0);
    text[len] = 0;
    CLAIM(inet_pton(v6 ? AF_INET6 : AF_INET, text, read) == 1);
    CLAIM(memcmp(read, address, v6 ? 16 : 4) == 0);
    if (!v6 || memcmp(address, zeroes, sizeof(zeroes)) != 0) {
        inet_ntop(v6 ? AF_INET6 : AF_INET, address, theirs, sizeof(theirs));
        CLAIM(strcmp(text, theirs) == 0);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ITEM = 17 };
    const struct column_info info = {.kind = KIND_ADDRESS, .can_be_missing = true};
    size_t rows = size / ITEM;
    struct column_data *column = column_data_new(&info, 1);
    struct address_texts texts;
    if (!column)
        abort();
    for (size_t i = 0; i < rows; i++) {
        const uint8_t *item = data + i * ITEM;
        if (column->rows == column->room && !column_data_grow(column))
            abort();
        size_t length = item[0] % 3 == 0 ? 0 : item[0] % 3 == 1 ? 4 : 16;
        column_append_address(column, length ? item + 1 : NULL, length);
        if (length)
            check_text(item + 1, length == 16);
    }
    if (!address_texts_make(column, &texts))
        abort();
    for (size_t i = 0; i < rows; i++) {
        char text[ADDRESS_TEXT_SIZE];
        const uint8_t *item = data + i * ITEM;
        if (item[0] % 3 == 0)
            continue;
        int32_t n = texts.indices[i];
        CLAIM(n >= 0 && n < texts.count);
        size_t len = put_text(text, item + 1, item[0] % 3 == 2);
        CLAIM(len == (size_t)(texts.offsets[n + 1] - texts.offsets[n]));
        CLAIM(memcmp(text, texts.text + texts.offsets[n], len) == 0);
    }
    address_texts_free(&texts);
    column_data_release(column);
    return 0;
}
