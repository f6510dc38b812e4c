/* Cutting a condition into words. */
#include "scan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool scan_fail(struct scanner *scanner, const struct token *token, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(scanner->error->message, WHERE_ERROR_SIZE, format, args);
    va_end(args);
    scanner->error->at = token->at;
    scanner->error->len = token->len;
    return false;
}

/* As isdigit() and its kin are not, independent of the locale. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* --- Addresses ------------------------------------------------------------------------------- */

bool scan_prefix(const char *text, size_t len, struct prefix *out)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = memchr(text, '/', len);
    size_t size = slash ? (size_t)(slash - text) : len;
    if (size == 0 || size >= sizeof(address))
        return false;
    memcpy(address, text, size);
    address[size] = 0;
    bool is_ip6 = memchr(address, ':', size) != NULL;
    *out = (struct prefix){.version = is_ip6 ? 6 : 4};
    if (inet_pton(is_ip6 ? AF_INET6 : AF_INET, address, out->bytes) != 1)
        return false;
    unsigned most = is_ip6 ? 128 : 32;
    unsigned length = most;
    if (slash) {
        length = 0;
        if (slash + 1 == text + len)
            return false;
        for (const char *c = slash + 1; c < text + len; c++)
            if (!is_digit(*c) || (length = length * 10 + (unsigned)(*c - '0')) > most)
                return false;
    }
    out->length = (uint8_t)length;
    return true;
}

/* --- MAC addresses --------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *found = c != 0 ? strchr(digits, c) : NULL;
    long at = found ? found - digits : -1;
    return (int)(at < 16 ? at : at - 6);
}

bool scan_mac(const char *text, size_t len, uint64_t *out)
{
    enum { BYTES = 6 };
    uint64_t number = 0;
    if (len != BYTES * 3 - 1 || (text[2] != ':' && text[2] != '-'))
        return false;
    for (size_t i = 0; i < len; i += 3) {
        int high = hex_digit(text[i]);
        int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0 || (i + 2 < len && text[i + 2] != text[2]))
            return false;
        number = number << 8 | (uint64_t)(high << 4 | low);
    }
    *out = number;
    return true;
}

/* --- Times ----------------------------------------------------------------------------------- */

/* `count` digits at *at: their value; -1 where there are not as many. */
static int digits(const char *text, size_t len, size_t *at, size_t count)
{
    int value = 0;
    if (len - *at < count)
        return -1;
    for (size_t i = 0; i < count; i++, (*at)++) {
        if (!is_digit(text[*at]))
            return -1;
        value = value * 10 + (text[*at] - '0');
    }
    return value;
}

static bool skip(const char *text, size_t len, size_t *at, const char *any_of)
{
    bool is_there = *at < len && text[*at] != 0 && strchr(any_of, text[*at]) != NULL;
    *at += is_there;
    return is_there;
}

/* Days from the epoch to a date of the Gregorian calendar.  Years begin in March here, so that the
 * leap day is a year's last. */
static int64_t days_to(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;
    int64_t before_month = (153 * m + 2) / 5; /* months of 31, 30, 31, 30, 31 days: 153 in all */
    return y * 365 + y / 4 - y / 100 + y / 400 + before_month + day - 1 - 719468;
}

static int days_of(int year, int month)
{
    bool is_long = month == 12;
    return (int)(days_to(is_long ? year + 1 : year, is_long ? 1 : month + 1, 1) -
                 days_to(year, month, 1));
}

static bool scan_fraction(const char *text, size_t len, size_t *at, int64_t *nsec)
{
    size_t start = *at;
    int64_t unit = 100000000;
    for (; *at < len && is_digit(text[*at]); (*at)++, unit /= 10)
        *nsec += (text[*at] - '0') * unit;
    return *at > start;
}

/* The zone's offset in seconds: Z, +hh:mm or -hh:mm. */
static bool scan_zone(const char *text, size_t len, size_t *at, int64_t *offset)
{
    if (skip(text, len, at, "Zz"))
        return true;
    bool is_west = *at < len && text[*at] == '-';
    if (!skip(text, len, at, "+-"))
        return false;
    int hours = digits(text, len, at, 2);
    int minutes = skip(text, len, at, ":") ? digits(text, len, at, 2) : -1;
    *offset = (hours * 60 + minutes) * (is_west ? -60 : 60);
    return hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60;
}

bool scan_time(const char *text, size_t len, int64_t *out)
{
    size_t at = 0;
    int year = digits(text, len, &at, 4);
    int month = skip(text, len, &at, "-") ? digits(text, len, &at, 2) : -1;
    int day = skip(text, len, &at, "-") ? digits(text, len, &at, 2) : -1;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of(year, month))
        return false;
    int64_t seconds = days_to(year, month, day) * 86400;
    int64_t nsec = 0;
    int64_t offset = 0;
    if (skip(text, len, &at, "Tt ")) {
        int hour = digits(text, len, &at, 2);
        int minute = skip(text, len, &at, ":") ? digits(text, len, &at, 2) : -1;
        int second = skip(text, len, &at, ":") ? digits(text, len, &at, 2) : -1;
        if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
            return false;
        seconds += hour * 3600 + minute * 60 + second;
        if (skip(text, len, &at, ".") && !scan_fraction(text, len, &at, &nsec))
            return false;
    }
    if (!scan_zone(text, len, &at, &offset) || at != len)
        return false;
    seconds -= offset;
    if (seconds < -INT64_C(9223372036) || seconds > INT64_C(9223372035))
        *out = seconds < 0 ? INT64_MIN : INT64_MAX; /* a time that no packet can have */
    else
        *out = seconds * 1000000000 + nsec;
    return true;
}

/* --- Words ----------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    uint8_t kind;
} signs[] = {
    /* the longer before those that they begin with */
    {"&&", TOKEN_AND},       {"||", TOKEN_OR},           {"==", TOKEN_SAME},
    {"!=", TOKEN_DIFFERENT}, {"<=", TOKEN_LESS_OR_SAME}, {">=", TOKEN_MORE_OR_SAME},
    {"..", TOKEN_TO},        {"<", TOKEN_LESS},          {">", TOKEN_MORE},
    {"!", TOKEN_NOT},        {"(", TOKEN_OPEN},          {")", TOKEN_CLOSE},
    {"[", TOKEN_OPEN},       {"]", TOKEN_CLOSE},         {"{", TOKEN_OPEN},
    {"}", TOKEN_CLOSE},      {",", TOKEN_COMMA},         {"-", TOKEN_TO},
    {"&", TOKEN_MASK},
};

static const struct {
    const char *text;
    uint8_t kind;
    uint8_t number;
} words[] = {
    {"and", TOKEN_AND, 0}, {"or", TOKEN_OR, 0},       {"not", TOKEN_NOT, 0},
    {"in", TOKEN_IN, 0},   {"true", TOKEN_NUMBER, 1}, {"false", TOKEN_NUMBER, 0},
    {"AND", TOKEN_AND, 0}, {"OR", TOKEN_OR, 0},       {"NOT", TOKEN_NOT, 0},
    {"IN", TOKEN_IN, 0},   {"True", TOKEN_NUMBER, 1}, {"False", TOKEN_NUMBER, 0},
};

static bool scan_sign(struct scanner *scanner)
{
    struct token *token = &scanner->token;
    const char *text = scanner->text + scanner->at;
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        size_t len = strlen(signs[i].text);
        if (strncmp(text, signs[i].text, len) == 0) {
            token->kind = signs[i].kind;
            token->len = len;
            scanner->at += len;
            return true;
        }
    }
    token->len = 1;
    if (*text == '=')
        return scan_fail(scanner, token, "= is no comparison: write ==");
    return scan_fail(scanner, token, "this is neither a name nor a value nor an operator");
}

static bool scan_quoted(struct scanner *scanner)
{
    struct token *token = &scanner->token;
    char quote = scanner->text[scanner->at];
    const char *end =
        memchr(scanner->text + scanner->at + 1, quote, scanner->len - scanner->at - 1);
    if (!end) {
        token->len = scanner->len - token->at;
        return scan_fail(scanner, token, "the quotation mark is not closed");
    }
    token->kind = TOKEN_TEXT;
    token->len = (size_t)(end - scanner->text) + 1 - token->at;
    scanner->at = token->at + token->len;
    return true;
}

/* The length of a name, number or address: letters, digits and what addresses have; not the two
 * dots of a range. */
static size_t word_length(const char *text)
{
    size_t len = 0;
    for (bool is_integer = true; is_letter(text[len]) || is_digit(text[len]) ||
                                 (text[len] != 0 && strchr(".:/", text[len]) != NULL);
         len++) {
        if (is_integer && text[len] == '.' && text[len + 1] == '.')
            break;
        is_integer = is_integer && is_digit(text[len]);
    }
    return len;
}

/* Digits, a point, digits: exact, as a quotient of two integers that a double holds. */
static bool scan_real(const char *text, size_t len, double *out)
{
    uint64_t digits_read = 0;
    double scale = 1;
    bool is_fraction = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' && !is_fraction) {
            is_fraction = true;
        } else if (is_digit(text[i]) && digits_read < (UINT64_C(1) << 53) / 10 && scale < 1e22) {
            digits_read = digits_read * 10 + (uint64_t)(text[i] - '0');
            scale *= is_fraction ? 10 : 1;
        } else {
            return false;
        }
    }
    *out = (double)digits_read / scale;
    return true;
}

static bool scan_number(struct scanner *scanner)
{
    struct token *token = &scanner->token;
    const char *text = scanner->text + token->at;
    if (memchr(text, '.', token->len)) {
        token->kind = TOKEN_REAL;
        return scan_real(text, token->len, &token->real) ||
               scan_fail(scanner, token, "this is no number of up to 15 digits");
    }
    bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && token->len > 2;
    char *end = NULL;
    errno = 0;
    token->kind = TOKEN_NUMBER;
    token->number = strtoull(text, &end, is_hex ? 16 : 10);
    if (end != text + token->len)
        return scan_fail(scanner, token, "this is no number");
    return errno == 0 || scan_fail(scanner, token, "this number is too large");
}

/* How often a character is in a word. */
static size_t count_of(const char *text, size_t len, char c)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += text[i] == c;
    return count;
}

static bool scan_word(struct scanner *scanner)
{
    struct token *token = &scanner->token;
    const char *text = scanner->text + scanner->at;
    size_t len = word_length(text);
    token->len = len;
    scanner->at += len;
    bool begins_with_digit = is_digit(text[0]);
    if (memchr(text, ':', len) ||
        (begins_with_digit && (memchr(text, '/', len) || count_of(text, len, '.') > 1))) {
        token->kind = TOKEN_MAC;
        if (scan_mac(text, len, &token->number))
            return true;
        token->kind = TOKEN_ADDRESS;
        return scan_prefix(text, len, &token->prefix) ||
               scan_fail(scanner, token, "this is no address or prefix");
    }
    if (begins_with_digit)
        return scan_number(scanner);
    token->kind = TOKEN_NAME;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].text) == len && memcmp(words[i].text, text, len) == 0) {
            token->kind = words[i].kind;
            token->number = words[i].number;
        }
    }
    return true;
}

bool scan_next(struct scanner *scanner)
{
    const char *text = scanner->text;
    while (text[scanner->at] != 0 && strchr(" \t\r\n", text[scanner->at]))
        scanner->at++;
    char first = text[scanner->at];
    scanner->token = (struct token){.at = scanner->at};
    if (scanner->at == scanner->len)
        return true;
    if (first == '"' || first == '\'')
        return scan_quoted(scanner);
    if (is_letter(first) || is_digit(first) || (first == ':' && text[scanner->at + 1] == ':'))
        return scan_word(scanner);
    return scan_sign(scanner);
}
