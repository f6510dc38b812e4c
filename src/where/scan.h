/* The words of a condition. */
#ifndef PLT_WHERE_SCAN_H
#define PLT_WHERE_SCAN_H

#include "where.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_NUMBER,  /* an integer without sign */
    TOKEN_REAL,    /* a number with a fraction or an exponent, without sign */
    TOKEN_ADDRESS, /* or a prefix */
    TOKEN_MAC,     /* a MAC address, as a number */
    TOKEN_TEXT,    /* in quotation marks */
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_IN,
    TOKEN_SAME, /* this and the next five in the order of enum comparison */
    TOKEN_DIFFERENT,
    TOKEN_LESS,
    TOKEN_LESS_OR_SAME,
    TOKEN_MORE,
    TOKEN_MORE_OR_SAME,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_TO, /* of a range: - or .. */
    TOKEN_MASK
};

struct prefix {
    uint8_t version; /* 4 or 6 */
    uint8_t length;  /* in bits */
    uint8_t bytes[16];
};

struct token {
    uint8_t kind; /* enum token_kind */
    size_t at;    /* in the text, in bytes */
    size_t len;
    uint64_t number;
    double real;
    struct prefix prefix;
};

struct scanner {
    const char *text; /* borrowed; ends with NUL */
    size_t len;
    size_t at;
    struct token token; /* the one to look at */
    struct where_error *error;
};

/* Fail at a token: false, with the error's message and place set. */
bool scan_fail(struct scanner *scanner, const struct token *token, const char *format, ...);
/* Make the next word the token to look at; false with the error set where it is none. */
bool scan_next(struct scanner *scanner);
/* A MAC address, six bytes of two hexadecimal digits with colons or hyphens between them, as a
 * number; false where it is none. */
bool scan_mac(const char *text, size_t len, uint64_t *out);
/* An address or prefix in text form; false where it is none. */
bool scan_prefix(const char *text, size_t len, struct prefix *out);
/* A date and time of RFC 3339, or a date: nanoseconds since the epoch, rounded down.  False where
 * it is none, or has no zone. */
bool scan_time(const char *text, size_t len, int64_t *out);

#endif
