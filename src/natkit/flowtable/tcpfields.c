/* The values of the fields that FlowTable(tcp=True) counts. */
#include "tcpfields.h"

#include "tcprows.h"

#include "flowtable/quality.h"

#include <stddef.h>

static bool time_of(int64_t time, uint64_t *value)
{
    *value = (uint64_t)time;
    return time != FLOW_NO_TIME;
}

/* A field of the connection. */
static bool common_number(uint8_t what, const struct tcp_quality *quality, uint64_t *value)
{
    bool agreed = false;
    bool known = false;
    switch (what) {
    case SERVER_RTT:
        return time_of(quality->server_rtt, value);
    case CLIENT_RTT:
        return time_of(quality->client_rtt, value);
    case SACK:
    case TIMESTAMPS:
        known = tcp_agreed(quality, what == SACK ? SEGMENT_SACK_OK : SEGMENT_TIMESTAMPS, &agreed);
        *value = agreed;
        return known;
    default:
        return false;
    }
}

static bool window_number(uint8_t what, const struct tcp_quality *quality, unsigned n,
                          uint64_t *value)
{
    const struct tcp_quality_way *way = &quality->ways[n];
    uint8_t scale = 0;
    bool known = tcp_window_scale(quality, n, &scale);
    *value = (uint64_t)(what == WINDOW_MIN ? way->window_min : way->window_max) << scale;
    return known && way->window_min <= way->window_max;
}

bool flow_tcp_number(uint8_t what, uint8_t whose, const struct flow_copy *copy, uint64_t *value)
{
    const struct tcp_quality *quality = copy->quality;
    if (!quality)
        return false;
    if (whose == BOTH)
        return common_number(what, quality, value);
    unsigned n = flow_forward(&copy->of.flow) ^ whose;
    const struct tcp_quality_way *way = &quality->ways[n];
    switch ((enum flow_tcp_what)what) {
    case RTT_COUNT:
        *value = way->rtt_count;
        return true;
    case RTT_MIN:
    case RTT_MAX:
        *value = what == RTT_MIN ? way->rtt_min : way->rtt_max;
        return way->rtt_count > 0;
    case RTT_MEAN:
        return tcp_rtt_mean(way, value);
    case RTT_STD:
        return tcp_rtt_deviation(way, value);
    case RESENT_SEGMENTS:
        *value = way->resent_segments;
        return true;
    case RESENT_BYTES:
        *value = way->resent_bytes;
        return true;
    case UNIQUE_BYTES:
        *value = way->unique_bytes;
        return true;
    case OUT_OF_ORDER:
        *value = way->out_of_order;
        return true;
    case DUP_ACKS:
        *value = way->dup_acks;
        return true;
    case SACK_BLOCKS:
        *value = way->sack_blocks;
        return true;
    case DSACKS:
        *value = way->dsacks;
        return true;
    case ZERO_WINDOWS:
        *value = way->zero_windows;
        return true;
    case WINDOW_MIN:
    case WINDOW_MAX:
        return window_number(what, quality, n, value);
    case WINDOW_SCALE:
        *value = way->scale;
        return way->options & SEGMENT_SCALE;
    case MSS:
        *value = way->mss;
        return way->options & SEGMENT_MSS;
    case LONGEST_SILENCE:
        return time_of(way->longest_silence, value);
    case FIRST_PAYLOAD:
        return time_of(way->first_payload, value);
    default:
        return false;
    }
}

static const char *closed_how(const struct flow *flow)
{
    uint8_t both = flow->events[0] & flow->events[1];
    uint8_t either = flow->events[0] | flow->events[1];
    if (either & EVENT_RST)
        return either & EVENT_FIN ? "fin_reset" : "reset";
    if (both & EVENT_FIN)
        return "fin";
    return either & EVENT_FIN ? "half" : NULL;
}

const char *flow_tcp_text(uint8_t what, const struct flow_copy *copy)
{
    const struct tcp_quality *quality = copy->quality;
    if (!quality || !quality->closed)
        return NULL;
    if (what == CLOSED_HOW)
        return closed_how(&copy->of.flow);
    unsigned way = (quality->closed & CLOSED_WAY1) != 0;
    return way == flow_forward(&copy->of.flow) ? "fwd" : "rev";
}
