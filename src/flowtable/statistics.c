/* The sizes, gaps and TCP flags of a flow's packets. */
#include "statistics.h"

#include "nanoseconds.h"
#include "wide.h"

#include <math.h>

/* --- Counting -------------------------------------------------------------------------------- */

/* From one time to another, as far as 64 bits hold it; its size is exact. */
static inline void add_gap(struct flow_gaps *gaps, int64_t from, int64_t to)
{
    int64_t gap = nanoseconds_sub(to, from);
    if (gap == FLOW_NO_TIME)
        gap++;
    uint64_t size = to >= from ? (uint64_t)to - (uint64_t)from : (uint64_t)from - (uint64_t)to;
    uint64_t square[2] = {size * size, 0};
    if (size > UINT32_MAX)
        wide_product(size, size, square);
    wide_add_up(gaps->squares, square[0], square[1]);
    if (gap < gaps->min)
        gaps->min = gap;
    if (gap > gaps->max)
        gaps->max = gap;
}

static inline void count_time(struct flow_gaps *gaps, int64_t *first, int64_t time)
{
    if (gaps->last_time != FLOW_NO_TIME)
        add_gap(gaps, gaps->last_time, time);
    else
        *first = time;
    gaps->last_time = time;
}

static inline void add_size_squares(struct flow_way_statistics *way, uint64_t low, uint32_t high)
{
    uint64_t sum = way->size_squares + low;
    uint64_t upper = (uint64_t)way->size_squares_high + high + (sum < low);
    way->size_squares = upper > UINT32_MAX ? UINT64_MAX : sum;
    way->size_squares_high = upper > UINT32_MAX ? UINT32_MAX : (uint32_t)upper;
}

static void add_untimed(struct flow_way_statistics *way, uint32_t more)
{
    way->untimed = more > UINT32_MAX - way->untimed ? UINT32_MAX : way->untimed + more;
}

static void begin_gaps(struct flow_gaps *gaps)
{
    *gaps = (struct flow_gaps){.last_time = FLOW_NO_TIME, .min = INT64_MAX, .max = INT64_MIN};
}

void flow_statistics_begin(struct flow_statistics *statistics)
{
    *statistics = (struct flow_statistics){.first_time = FLOW_NO_TIME,
                                           .first_times = {FLOW_NO_TIME, FLOW_NO_TIME}};
    begin_gaps(&statistics->gaps);
    for (unsigned n = 0; n < 2; n++) {
        begin_gaps(&statistics->ways[n].gaps);
        statistics->ways[n].size_min = UINT32_MAX;
    }
}

void flow_statistics_count(struct flow_statistics *statistics, const struct flow_packet *packet)
{
    struct flow_way_statistics *way = &statistics->ways[packet->way];
    uint32_t size = packet->ip_bytes;
    add_size_squares(way, (uint64_t)size * size, 0);
    if (size < way->size_min)
        way->size_min = size;
    if (size > way->size_max)
        way->size_max = size;
    if (packet->time == FLOW_NO_TIME) {
        add_untimed(way, 1);
    } else {
        count_time(&way->gaps, &statistics->first_times[packet->way], packet->time);
        count_time(&statistics->gaps, &statistics->first_time, packet->time);
    }
    for (unsigned flags = flow_statistics_flags(packet); flags; flags &= flags - 1)
        way->flags[__builtin_ctz(flags)]++;
}

/* --- Parts ----------------------------------------------------------------------------------- */

static void join_gaps(struct flow_gaps *gaps, int64_t *first, const struct flow_gaps *later,
                      int64_t later_first)
{
    if (later->last_time == FLOW_NO_TIME)
        return;
    if (gaps->last_time != FLOW_NO_TIME)
        add_gap(gaps, gaps->last_time, later_first);
    else
        *first = later_first;
    gaps->last_time = later->last_time;
    wide_add_up(gaps->squares, later->squares[0], later->squares[1]);
    if (later->min < gaps->min)
        gaps->min = later->min;
    if (later->max > gaps->max)
        gaps->max = later->max;
}

void flow_statistics_join(struct flow_statistics *statistics, const struct flow_statistics *later)
{
    join_gaps(&statistics->gaps, &statistics->first_time, &later->gaps, later->first_time);
    for (unsigned n = 0; n < 2; n++) {
        struct flow_way_statistics *way = &statistics->ways[n];
        const struct flow_way_statistics *other = &later->ways[n];
        join_gaps(&way->gaps, &statistics->first_times[n], &other->gaps, later->first_times[n]);
        add_size_squares(way, other->size_squares, other->size_squares_high);
        add_untimed(way, other->untimed);
        if (other->size_min < way->size_min)
            way->size_min = other->size_min;
        if (other->size_max > way->size_max)
            way->size_max = other->size_max;
        for (unsigned flag = 0; flag < FLOW_FLAGS; flag++)
            way->flags[flag] += other->flags[flag];
    }
}

/* --- What they tell -------------------------------------------------------------------------- */

/* The standard deviation of a sample of n, from the sum of its squares and the size of its sum:
 * sqrt((n * squares - sum**2) / (n * (n - 1))), whose numerator is exact. */
static double deviation_of(uint64_t n, const uint64_t squares[2], uint64_t sum)
{
    uint64_t low[2], high[2], minus[2];
    wide_product(n, squares[0], low);
    wide_product(n, squares[1], high);
    uint64_t words[3] = {low[0], low[1], 0};
    wide_add(words + 1, high[0], high[1]);
    wide_product(sum, sum, minus);
    uint64_t borrow = words[0] < minus[0];
    words[0] -= minus[0];
    uint64_t more = (words[1] < minus[1]) | (words[1] - minus[1] < borrow);
    words[1] -= minus[1] + borrow;
    if (words[2] < more)
        return 0; /* forged: no squares have so large a sum */
    words[2] -= more;
    const long double two_64 = 18446744073709551616.0L;
    long double numerator =
        ((long double)words[2] * two_64 + (long double)words[1]) * two_64 + (long double)words[0];
    return (double)sqrtl(numerator / (long double)n / (long double)(n - 1));
}

static uint64_t packets_of(const struct flow *flow, unsigned ways)
{
    return (ways & WAY_0 ? flow->way0.packets : 0) + (ways & WAY_1 ? flow->way1.packets : 0);
}

bool flow_size_range(const struct flow_statistics *statistics, unsigned ways,
                     struct flow_range *range)
{
    *range = (struct flow_range){UINT32_MAX, 0};
    bool any = false;
    for (unsigned n = 0; n < 2; n++) {
        const struct flow_way_statistics *way = &statistics->ways[n];
        if (!(ways >> n & 1) || way->size_min > way->size_max)
            continue;
        any = true;
        if (way->size_min < range->min)
            range->min = way->size_min;
        if (way->size_max > range->max)
            range->max = way->size_max;
    }
    return any;
}

static uint64_t bytes_of(const struct flow *flow, unsigned ways)
{
    return (ways & WAY_0 ? flow->way0.ip_bytes : 0) + (ways & WAY_1 ? flow->way1.ip_bytes : 0);
}

bool flow_size_mean(const struct flow *flow, unsigned ways, double *mean)
{
    uint64_t packets = packets_of(flow, ways);
    if (packets == 0)
        return false;
    *mean = (double)((long double)bytes_of(flow, ways) / (long double)packets);
    return true;
}

bool flow_size_deviation(const struct flow_statistics *statistics, const struct flow *flow,
                         unsigned ways, double *deviation)
{
    uint64_t packets = packets_of(flow, ways);
    uint64_t squares[2] = {0, 0};
    for (unsigned n = 0; n < 2; n++) {
        const struct flow_way_statistics *way = &statistics->ways[n];
        if (!(ways >> n & 1))
            continue;
        if (way->size_squares == UINT64_MAX && way->size_squares_high == UINT32_MAX)
            return false;
        wide_add(squares, way->size_squares, way->size_squares_high);
    }
    if (packets < 2)
        return false;
    *deviation = deviation_of(packets, squares, bytes_of(flow, ways));
    return true;
}

/* The gaps of a way, or of both together. */
static const struct flow_gaps *gaps_of(const struct flow_statistics *statistics, unsigned ways)
{
    return ways == WAYS ? &statistics->gaps : &statistics->ways[ways == WAY_1].gaps;
}

bool flow_gap_range(const struct flow_statistics *statistics, unsigned ways, int64_t *min,
                    int64_t *max)
{
    const struct flow_gaps *gaps = gaps_of(statistics, ways);
    *min = gaps->min;
    *max = gaps->max;
    return gaps->min <= gaps->max;
}

/* The gaps' sum, which is the time from the first packet to the last. */
struct gap_sum {
    uint64_t count; /* of gaps */
    uint64_t size;
    bool is_negative;
};

/* False without a gap, and where their number is not known. */
static bool sum_gaps(const struct flow_statistics *statistics, const struct flow *flow,
                     unsigned ways, struct gap_sum *out)
{
    const struct flow_gaps *gaps = gaps_of(statistics, ways);
    int64_t first = ways == WAYS ? statistics->first_time : statistics->first_times[ways == WAY_1];
    uint64_t last = (uint64_t)gaps->last_time;
    uint64_t packets = packets_of(flow, ways);
    uint64_t untimed = 0;
    for (unsigned n = 0; n < 2; n++) {
        uint32_t more = ways >> n & 1 ? statistics->ways[n].untimed : 0;
        if (more == UINT32_MAX)
            return false;
        untimed += more;
    }
    if (packets < 2 || packets - 2 < untimed)
        return false;
    bool is_negative = gaps->last_time < first;
    *out = (struct gap_sum){.count = packets - untimed - 1,
                            .size = is_negative ? (uint64_t)first - last : last - (uint64_t)first,
                            .is_negative = is_negative};
    return true;
}

bool flow_gap_mean(const struct flow_statistics *statistics, const struct flow *flow, unsigned ways,
                   int64_t *mean)
{
    struct gap_sum sum;
    if (!sum_gaps(statistics, flow, ways, &sum))
        return false;
    uint64_t size = sum.size / sum.count;
    if (size > INT64_MAX)
        return false;
    *mean = sum.is_negative ? -(int64_t)size : (int64_t)size;
    return true;
}

bool flow_gap_deviation(const struct flow_statistics *statistics, const struct flow *flow,
                        unsigned ways, int64_t *deviation)
{
    struct gap_sum sum;
    const uint64_t *squares = gaps_of(statistics, ways)->squares;
    if (!sum_gaps(statistics, flow, ways, &sum) || sum.count < 2 ||
        (squares[0] == UINT64_MAX && squares[1] == UINT64_MAX))
        return false;
    double found = deviation_of(sum.count, squares, sum.size);
    bool fits = found < 9223372036854775807.0;
    *deviation = fits ? (int64_t)found : 0;
    return fits;
}

uint64_t flow_flag_packets(const struct flow_statistics *statistics, const struct flow *flow,
                           unsigned ways, unsigned flag)
{
    uint64_t packets = (ways & WAY_0 ? statistics->ways[0].flags[flag] : 0) +
                       (ways & WAY_1 ? statistics->ways[1].flags[flag] : 0);
    return TCP_ACK >> flag == 1 ? packets_of(flow, ways) - packets : packets;
}

/* --- Bytes that are not trusted -------------------------------------------------------------- */

bool flow_statistics_is_sound(const struct flow_statistics *statistics, const struct flow *flow)
{
    for (unsigned n = 0; n < 2; n++) {
        const struct flow_way_statistics *way = &statistics->ways[n];
        uint64_t packets = flow_way_of(flow, n)->packets;
        if ((way->size_min <= way->size_max) != (packets > 0) || way->untimed > packets ||
            (way->gaps.last_time == FLOW_NO_TIME) != (statistics->first_times[n] == FLOW_NO_TIME))
            return false;
        for (unsigned flag = 0; flag < FLOW_FLAGS; flag++)
            if (way->flags[flag] > packets)
                return false;
    }
    return (statistics->gaps.last_time == FLOW_NO_TIME) == (statistics->first_time == FLOW_NO_TIME);
}
