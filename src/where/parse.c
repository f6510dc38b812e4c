/* Compiling a condition.  The grammar, "or" binding least:
 *
 *     either     = both { "or" both }
 *     both       = single { "and" single }
 *     single     = { "not" } ( "(" either ")" | comparison )
 *     comparison = operand { ("==" | "!=" | "<" | "<=" | ">" | ">=") operand }
 *                | operand [ "not" ] "in" ( item | "(" item { "," item } ")" )
 *     operand    = name [ "&" number ] | value
 *     item       = value [ ("-" | "..") value ]
 */
#include "ranges.h"

#include <stdlib.h>

#define NO_ORDER "kinds of tunnels have no order"

enum {
    DEEPEST = 200,    /* parentheses in parentheses */
    LONGEST = 1 << 20 /* bytes of text */
};

#define NOWHERE (UINT32_MAX - 2)

/* Exits of tests that don't lead anywhere yet, chained through the `next` of the tests.  An exit is
 * twice the test's number, plus 1 where the test holds. */
struct exits {
    uint32_t first, last;
};

/* What was compiled, as its exits: those where it holds, and those where it does not. */
struct outcome {
    struct exits yes, no;
};

struct parser {
    struct scanner scanner;
    struct where *where;
    where_find *find;
};

/* One side of a comparison. */
struct operand {
    struct value value; /* of a name, its place in the text */
    struct where_name name;
    uint64_t mask;
    bool is_name;
};

/* --- Exits ----------------------------------------------------------------------------------- */

static uint32_t *exit_slot(struct where *where, uint32_t exit)
{
    return &where->tests[exit / 2].next[exit % 2];
}

static void lead(struct where *where, struct exits exits, uint32_t target)
{
    for (uint32_t exit = exits.first; exit != NOWHERE;) {
        uint32_t *slot = exit_slot(where, exit);
        exit = *slot;
        *slot = target;
    }
}

/* Neither is empty: every test has both exits. */
static struct exits join(struct where *where, struct exits a, struct exits b)
{
    *exit_slot(where, a.last) = b.first;
    return (struct exits){.first = a.first, .last = b.last};
}

/* --- Tests ----------------------------------------------------------------------------------- */

static struct test test_of(const struct parser *parser, const struct operand *subject)
{
    const struct where *where = parser->where;
    return (struct test){
        .name = subject->name,
        .mask = subject->mask,
        .kind = subject->name.kind == KIND_ADDRESS ? TEST_ADDRESS : TEST_NUMBER,
        .first = where->ranges_count,
        .first6 = where->ranges6_count,
    };
}

static bool needs_layers(const struct where_name *name)
{
    return name->property ? name->property->needs_layers : true;
}

static bool needs_tunnel(const struct where_name *name)
{
    return name->property && name->property->of_tunnel;
}

/* Append a test, whose ranges are the last ones. */
static bool add_test(struct parser *parser, struct test *test, struct outcome *out)
{
    struct where *where = parser->where;
    if (!where_grow((void **)&where->tests, sizeof(*where->tests), where->count, &where->room)) {
        parser->scanner.error->out_of_memory = true;
        return false;
    }
    uint32_t n = where->count++;
    ranges_settle(where, test);
    test->next[false] = NOWHERE;
    test->next[true] = NOWHERE;
    where->tests[n] = *test;
    bool two = test->kind == TEST_NUMBERS || test->kind == TEST_ADDRESSES;
    where->needs_layers =
        where->needs_layers || needs_layers(&test->name) || (two && needs_layers(&test->other));
    where->needs_tunnel =
        where->needs_tunnel || needs_tunnel(&test->name) || (two && needs_tunnel(&test->other));
    out->no = (struct exits){.first = 2 * n, .last = 2 * n};
    out->yes = (struct exits){.first = 2 * n + 1, .last = 2 * n + 1};
    return true;
}

/* A name alone: a header that is there, a number that is not 0. */
static bool compile_truth(struct parser *parser, const struct operand *subject, struct outcome *out)
{
    if (!subject->is_name) {
        return scan_fail(&parser->scanner, &subject->value.token,
                         "this value is compared with nothing");
    }
    struct test test = test_of(parser, subject);
    uint8_t kind = subject->name.kind;
    if (subject->name.is_header) {
        test.kind = TEST_HEADER;
    } else if (subject->name.is_mac) {
        return scan_fail(&parser->scanner, &subject->value.token,
                         "a MAC address is to be compared");
    } else if (kind == KIND_ADDRESS || kind == KIND_TIME) {
        return scan_fail(&parser->scanner, &subject->value.token,
                         kind == KIND_ADDRESS ? "an address is to be compared: src == 192.0.2.1"
                                              : "a time is to be compared");
    } else {
        test.outside = true;
        if (!ranges_add_zero(parser->where, &parser->scanner, &subject->name))
            return false;
    }
    return add_test(parser, &test, out);
}

static bool is_float(const struct operand *operand)
{
    return operand->name.kind == KIND_FLOAT64;
}

static bool compile_two_names(struct parser *parser, const struct operand *left,
                              enum comparison comparison, const struct operand *right,
                              struct outcome *out)
{
    struct test test = test_of(parser, left);
    bool are_addresses = left->name.kind == KIND_ADDRESS;
    if (left->name.is_mac != right->name.is_mac) {
        return scan_fail(&parser->scanner, &right->value.token,
                         "a MAC address is compared with MAC addresses only");
    }
    if (left->name.is_tunnel_kind || right->name.is_tunnel_kind) {
        return scan_fail(&parser->scanner, &right->value.token,
                         "a kind of tunnel is compared with its name: tunnel.kind == \"vxlan\"");
    }
    if (are_addresses != (right->name.kind == KIND_ADDRESS)) {
        return scan_fail(&parser->scanner, &right->value.token,
                         "an address and a number are not compared");
    }
    if (is_float(left) || is_float(right)) {
        return scan_fail(&parser->scanner,
                         is_float(left) ? &left->value.token : &right->value.token,
                         "this is compared with numbers only");
    }
    if (right->mask != UINT64_MAX)
        return scan_fail(&parser->scanner, &right->value.token, "a mask stands on the left side");
    test.kind = are_addresses ? TEST_ADDRESSES : TEST_NUMBERS;
    test.other = right->name;
    test.comparison = (uint8_t)comparison;
    return add_test(parser, &test, out);
}

static bool compile_pair(struct parser *parser, const struct operand *left,
                         enum comparison comparison, const struct operand *right,
                         struct outcome *out)
{
    /* of the value's place on the left */
    static const uint8_t mirrored[] = {
        [SAME] = SAME, [DIFFERENT] = DIFFERENT,      [LESS] = MORE, [LESS_OR_SAME] = MORE_OR_SAME,
        [MORE] = LESS, [MORE_OR_SAME] = LESS_OR_SAME};
    if (left->is_name && right->is_name)
        return compile_two_names(parser, left, comparison, right, out);
    if (!left->is_name && !right->is_name) {
        return scan_fail(&parser->scanner, &right->value.token,
                         "two values are compared, and no name");
    }
    const struct operand *subject = left->is_name ? left : right;
    const struct operand *value = left->is_name ? right : left;
    struct test test = test_of(parser, subject);
    comparison = left->is_name ? comparison : (enum comparison)mirrored[comparison];
    test.outside = comparison == DIFFERENT;
    if (subject->name.is_tunnel_kind && comparison != SAME && comparison != DIFFERENT)
        return scan_fail(&parser->scanner, &value->value.token, NO_ORDER);
    return ranges_add(parser->where, &parser->scanner, &subject->name, comparison, &value->value) &&
           add_test(parser, &test, out);
}

/* --- The grammar ----------------------------------------------------------------------------- */

static bool next(struct parser *parser)
{
    return scan_next(&parser->scanner);
}

static bool is_next(const struct parser *parser, enum token_kind kind)
{
    return parser->scanner.token.kind == kind;
}

static bool parse_mask(struct parser *parser, struct operand *out)
{
    const struct token *token = &parser->scanner.token;
    if (!is_next(parser, TOKEN_MASK))
        return true;
    uint8_t kind = out->name.kind;
    if (kind == KIND_ADDRESS || kind == KIND_FLOAT64 || out->name.is_header || out->name.is_mac ||
        out->name.is_tunnel_kind)
        return scan_fail(&parser->scanner, token, "a mask is for integers");
    if (!next(parser))
        return false;
    if (!is_next(parser, TOKEN_NUMBER))
        return scan_fail(&parser->scanner, token, "an integer is to follow &");
    out->mask = token->number;
    return next(parser);
}

static bool parse_operand(struct parser *parser, struct operand *out)
{
    const struct token *token = &parser->scanner.token;
    *out = (struct operand){.mask = UINT64_MAX};
    if (is_next(parser, TOKEN_TO) && parser->scanner.text[token->at] == '-') {
        out->value.is_negative = true;
        if (!next(parser))
            return false;
        if (!is_next(parser, TOKEN_NUMBER) && !is_next(parser, TOKEN_REAL))
            return scan_fail(&parser->scanner, token, "a number is to follow -");
    }
    out->value.token = *token;
    switch ((enum token_kind)token->kind) {
    case TOKEN_NAME:
        out->is_name = true;
        if (!parser->find(parser->scanner.text + token->at, token->len, &out->name)) {
            parser->scanner.error->is_unknown_name = true;
            return scan_fail(&parser->scanner, token, "no column is named %.*s",
                             token->len > 60 ? 60 : (int)token->len,
                             parser->scanner.text + token->at);
        }
        return next(parser) && parse_mask(parser, out);
    case TOKEN_NUMBER:
    case TOKEN_REAL:
    case TOKEN_ADDRESS:
    case TOKEN_MAC:
    case TOKEN_TEXT:
        return next(parser);
    default:
        return scan_fail(&parser->scanner, token, "a name or a value is to stand here");
    }
}

/* A value of a list, or a range of values. */
static bool parse_item(struct parser *parser, const struct where_name *name)
{
    struct operand from;
    struct operand to;
    if (!parse_operand(parser, &from))
        return false;
    to = from;
    if (is_next(parser, TOKEN_TO) && name->is_tunnel_kind)
        return scan_fail(&parser->scanner, &from.value.token, NO_ORDER);
    if (is_next(parser, TOKEN_TO) && (!next(parser) || !parse_operand(parser, &to)))
        return false;
    if (from.is_name || to.is_name) {
        return scan_fail(&parser->scanner, from.is_name ? &from.value.token : &to.value.token,
                         "a list holds values, and no names");
    }
    return ranges_add_span(parser->where, &parser->scanner, name, &from.value, &to.value);
}

static bool parse_list(struct parser *parser, const struct where_name *name)
{
    if (!is_next(parser, TOKEN_OPEN))
        return parse_item(parser, name);
    do {
        if (!next(parser))
            return false;
        if (is_next(parser, TOKEN_CLOSE))
            return next(parser); /* an empty list, or a comma at the end */
        if (!parse_item(parser, name))
            return false;
    } while (is_next(parser, TOKEN_COMMA));
    if (!is_next(parser, TOKEN_CLOSE)) {
        return scan_fail(&parser->scanner, &parser->scanner.token,
                         "a comma or the end of the list is to stand here");
    }
    return next(parser);
}

static bool compile_membership(struct parser *parser, const struct operand *subject, bool outside,
                               struct outcome *out)
{
    if (!subject->is_name || subject->name.is_header)
        return scan_fail(&parser->scanner, &subject->value.token, "a column is to stand before in");
    struct test test = test_of(parser, subject);
    test.outside = outside;
    return parse_list(parser, &subject->name) && add_test(parser, &test, out);
}

/* What holds where both do: the second is compiled, and is asked where the first holds. */
static struct outcome both_of(struct where *where, uint32_t second, struct outcome a,
                              struct outcome b)
{
    lead(where, a.yes, second);
    return (struct outcome){.yes = b.yes, .no = join(where, a.no, b.no)};
}

static struct outcome either_of(struct where *where, uint32_t second, struct outcome a,
                                struct outcome b)
{
    lead(where, a.no, second);
    return (struct outcome){.yes = join(where, a.yes, b.yes), .no = b.no};
}

static bool parse_comparison(struct parser *parser, struct outcome *out)
{
    struct operand left;
    if (!parse_operand(parser, &left))
        return false;
    bool outside = is_next(parser, TOKEN_NOT);
    if (outside && !next(parser))
        return false;
    if (is_next(parser, TOKEN_IN))
        return next(parser) && compile_membership(parser, &left, outside, out);
    if (outside)
        return scan_fail(&parser->scanner, &parser->scanner.token, "in is to follow not here");
    bool is_first = true;
    while (is_next(parser, TOKEN_SAME) || (parser->scanner.token.kind > TOKEN_SAME &&
                                           parser->scanner.token.kind <= TOKEN_MORE_OR_SAME)) {
        enum comparison comparison = (enum comparison)(parser->scanner.token.kind - TOKEN_SAME);
        struct operand right;
        struct outcome pair;
        uint32_t start = parser->where->count;
        if (!next(parser) || !parse_operand(parser, &right))
            return false;
        if ((left.is_name && left.name.is_header) || (right.is_name && right.name.is_header)) {
            return scan_fail(&parser->scanner,
                             left.is_name && left.name.is_header ? &left.value.token
                                                                 : &right.value.token,
                             "a header is there or not: it is not compared");
        }
        if (!compile_pair(parser, &left, comparison, &right, &pair))
            return false;
        *out = is_first ? pair : both_of(parser->where, start, *out, pair);
        is_first = false;
        left = right;
    }
    return is_first ? compile_truth(parser, &left, out) : true;
}

static bool parse_either(struct parser *parser, unsigned depth, struct outcome *out);

static bool parse_single(struct parser *parser, unsigned depth, struct outcome *out)
{
    bool negated = false;
    while (is_next(parser, TOKEN_NOT)) {
        negated = !negated;
        if (!next(parser))
            return false;
    }
    if (is_next(parser, TOKEN_OPEN)) {
        struct token open = parser->scanner.token;
        if (depth == DEEPEST) {
            return scan_fail(&parser->scanner, &open, "more than %d parentheses are open here",
                             DEEPEST);
        }
        if (!next(parser) || !parse_either(parser, depth + 1, out))
            return false;
        if (!is_next(parser, TOKEN_CLOSE)) {
            return is_next(parser, TOKEN_END)
                       ? scan_fail(&parser->scanner, &open, "this parenthesis is not closed")
                       : scan_fail(&parser->scanner, &parser->scanner.token,
                                   "and, or or a closing parenthesis is to stand here");
        }
        if (!next(parser))
            return false;
    } else if (!parse_comparison(parser, out)) {
        return false;
    }
    if (negated)
        *out = (struct outcome){.yes = out->no, .no = out->yes};
    return true;
}

static bool parse_both(struct parser *parser, unsigned depth, struct outcome *out)
{
    if (!parse_single(parser, depth, out))
        return false;
    while (is_next(parser, TOKEN_AND)) {
        struct outcome right;
        uint32_t start = parser->where->count;
        if (!next(parser) || !parse_single(parser, depth, &right))
            return false;
        *out = both_of(parser->where, start, *out, right);
    }
    return true;
}

static bool parse_either(struct parser *parser, unsigned depth, struct outcome *out)
{
    if (!parse_both(parser, depth, out))
        return false;
    while (is_next(parser, TOKEN_OR)) {
        struct outcome right;
        uint32_t start = parser->where->count;
        if (!next(parser) || !parse_both(parser, depth, &right))
            return false;
        *out = either_of(parser->where, start, *out, right);
    }
    return true;
}

static bool parse_all(struct parser *parser)
{
    struct outcome out;
    if (parser->scanner.len > LONGEST) {
        return scan_fail(&parser->scanner, &parser->scanner.token,
                         "a condition is of %d bytes at most", LONGEST);
    }
    if (!next(parser))
        return false;
    if (is_next(parser, TOKEN_END))
        return scan_fail(&parser->scanner, &parser->scanner.token, "the condition is empty");
    if (!parse_either(parser, 0, &out))
        return false;
    if (!is_next(parser, TOKEN_END)) {
        return scan_fail(&parser->scanner, &parser->scanner.token,
                         "and, or or the end is to stand here");
    }
    lead(parser->where, out.yes, WHERE_YES);
    lead(parser->where, out.no, WHERE_NO);
    return true;
}

struct where *where_compile(const char *text, size_t len, where_find *find,
                            struct where_error *error)
{
    struct parser parser = {
        .scanner = {.text = text, .len = len, .error = error},
        .find = find,
        .where = calloc(1, sizeof(struct where)),
    };
    *error = (struct where_error){.len = 0};
    if (!parser.where) {
        error->out_of_memory = true;
        return NULL;
    }
    if (!parse_all(&parser)) {
        where_free(parser.where);
        return NULL;
    }
    return parser.where;
}

void where_free(struct where *where)
{
    free(where->tests);
    free(where->ranges);
    free(where->ranges6);
    free(where);
}
