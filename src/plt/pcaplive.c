/* Live capture through libpcap (pcapint:).  It is not left to libtrace, which can wait within
 * libpcap for a packet that never comes, where neither a timeout nor Ctrl-C has an effect. */
#include "pcaplive.h"

#include "common/monotonic.h"
#include "packet/decode.h"
#include "packet/linktypes.h"
#include "packet/meta.h"

#include "capture.h"
#include "source.h"
#include "state.h"
#include "wait.h"
#include "watch.h"

#include <pcap/pcap.h>
#include <string.h>

#define MAX_SNAPLEN 262144

/* libpcap's ring gives each packet as much room as a long one needs: this is 256 of 64 KiB, as many
 * as int: and ring: hold.  Its own 2 MiB are 32. */
#define RING_BYTES (16 << 20)

struct pcap_live {
    struct source base;
    struct plt_state *state; /* borrowed */
    PyObject *device;        /* owned: bytes */
    pcap_t *pcap;            /* owned, NULL while paused */
    uint32_t snaplen;        /* at most so many bytes are captured; the trace cuts to fewer */
    int promisc;             /* as configured */
    double timeout;
    uint32_t dlt;
    uint64_t drops_before;     /* of captures before it was paused */
    uint32_t nsec_of_fraction; /* what libpcap's tv_usec counts, by its precision */
    struct watch watch;
    bool ready; /* record is set and was not handed out */
    struct plt_record record;
};

static enum source_result pcap_live_next(struct source *base, struct plt_record *record)
{
    struct pcap_live *self = (struct pcap_live *)base;
    if (!self->ready)
        return SOURCE_MORE;
    *record = self->record;
    self->ready = false;
    base->count++;
    return SOURCE_RECORD;
}

static void take(struct pcap_live *self, const struct pcap_pkthdr *header, const u_char *data)
{
    uint32_t len = header->caplen;
    uint32_t nsec = (uint32_t)header->ts.tv_usec * self->nsec_of_fraction;
    self->record = (struct plt_record){.data = data,
                                       .len = len,
                                       .meta = {.sec = header->ts.tv_sec,
                                                .nsec = nsec,
                                                .capture_len = len,
                                                .dlt = self->dlt,
                                                .linktype = PLT_LINKTYPE_OF_DLT,
                                                .direction = -1,
                                                .fine_clock = true}};
    meta_set_wire_len(&self->record.meta, data, len, header->len);
    self->ready = true;
}

static int pcap_live_fill(struct source *base)
{
    struct pcap_live *self = (struct pcap_live *)base;
    double started = monotonic_now();
    for (;;) {
        struct pcap_pkthdr *header = NULL;
        const u_char *data = NULL;
        bool ended = self->watch.ended; /* before the last look for packets */
        int result = pcap_next_ex(self->pcap, &header, &data); /* does not wait */
        if (result == 1) {
            take(self, header, data);
            return 0;
        }
        if (result < 0) {
            if (watch_raise(&self->watch) == 0)
                PyErr_SetString(PyExc_OSError, pcap_geterr(self->pcap));
            return -1;
        }
        if (ended && watch_raise(&self->watch) < 0)
            return -1;
        if (wait_for_packet(self->state, &self->watch, pcap_get_selectable_fd(self->pcap), 1,
                            started, self->timeout) < 0)
            return -1;
        if (wait_is_over(base))
            return 0;
    }
}

static void pcap_live_count_drops(struct source *base)
{
    const struct pcap_live *self = (struct pcap_live *)base;
    struct pcap_stat stat = {0};
    if (self->pcap && pcap_stats(self->pcap, &stat) == 0)
        base->drops = self->drops_before + stat.ps_drop + stat.ps_ifdrop;
}

static void close_pcap(struct pcap_live *self)
{
    if (self->pcap)
        pcap_close(self->pcap);
    self->pcap = NULL;
}

static void pcap_live_destroy(struct source *base)
{
    struct pcap_live *self = (struct pcap_live *)base;
    close_pcap(self);
    watch_close(&self->watch);
    Py_XDECREF(self->device);
    PyMem_Free(self);
}

static int raise_pcap(struct pcap_live *self, int status)
{
    const char *text = pcap_geterr(self->pcap);
    PyErr_SetString(PyExc_OSError, text[0] ? text : pcap_statustostr(status));
    return -1;
}

static int set_filter(struct pcap_live *self, const char *expression)
{
    struct bpf_program code;
    if (pcap_compile(self->pcap, &code, expression, 1, PCAP_NETMASK_UNKNOWN) < 0)
        return raise_pcap(self, PCAP_ERROR);
    int status = pcap_setfilter(self->pcap, &code);
    pcap_freecode(&code);
    return status < 0 ? raise_pcap(self, status) : 0;
}

static uint32_t snaplen_of(const struct capture_config *config)
{
    uint32_t snaplen = plt_snaplen(config->snaplen);
    return snaplen < MAX_SNAPLEN ? snaplen : MAX_SNAPLEN;
}

/* What a handle takes before it is activated; 0, or a status below 0. */
static int configure(struct pcap_live *self, const struct capture_config *config)
{
    bool nanoseconds = pcap_set_tstamp_precision(self->pcap, PCAP_TSTAMP_PRECISION_NANO) == 0;
    self->nsec_of_fraction = nanoseconds ? 1 : 1000;
    int status = pcap_set_snaplen(self->pcap, (int)self->snaplen + 64); /* its ring may cut more */
    status |= pcap_set_promisc(self->pcap, config->promisc > 0);
    status |= pcap_set_timeout(self->pcap, 100);
    status |= pcap_set_buffer_size(self->pcap, RING_BYTES);
    return status | pcap_set_immediate_mode(self->pcap, 1);
}

/* Start to capture as configured. */
static int activate(struct pcap_live *self, const struct capture_config *config)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    self->pcap = pcap_create(PyBytes_AS_STRING(self->device), error);
    if (!self->pcap) {
        PyErr_SetString(PyExc_OSError, error);
        return -1;
    }
    self->snaplen = snaplen_of(config);
    self->promisc = config->promisc;
    int status = configure(self, config);
    if (status == 0)
        status = pcap_activate(self->pcap);
    if (status < 0) {
        const char *text = pcap_geterr(self->pcap);
        return capture_raise(text[0] ? text : pcap_statustostr(status));
    }
    if (pcap_setnonblock(self->pcap, 1, error) < 0) {
        PyErr_SetString(PyExc_OSError, error);
        return -1;
    }
    if (config->expression && set_filter(self, config->expression) < 0)
        return -1;
    int dlt = pcap_datalink(self->pcap);
    self->dlt = dlt == DLT_RAW ? LINKTYPE_RAW : (uint32_t)dlt;
    self->timeout = config->timeout;
    self->watch.ended = false;
    self->base.filters = config->expression != NULL;
    return 0;
}

static int pcap_live_configure(struct source *base, const struct capture_config *config)
{
    struct pcap_live *self = (struct pcap_live *)base;
    if (config->promisc != self->promisc || snaplen_of(config) > self->snaplen)
        return 1;
    if (config->expression && set_filter(self, config->expression) < 0)
        return -1;
    base->filters = false; /* what was captured before is still to come */
    self->timeout = config->timeout;
    return 0;
}

static int pcap_live_pause(struct source *base)
{
    struct pcap_live *self = (struct pcap_live *)base;
    pcap_live_count_drops(base);
    self->drops_before = base->drops;
    close_pcap(self);
    self->ready = false;
    return 0;
}

static int pcap_live_resume(struct source *base, const struct capture_config *config)
{
    struct pcap_live *self = (struct pcap_live *)base;
    if (activate(self, config) == 0)
        return 0;
    close_pcap(self);
    return -1;
}

struct source *pcapint_source_new(struct plt_state *state, const char *uri,
                                  const struct capture_config *config)
{
    const char *device = strchr(uri, ':') + 1;
    struct pcap_live *self = PyMem_Calloc(1, sizeof(*self));
    if (!self) {
        PyErr_NoMemory();
        return NULL;
    }
    self->state = state;
    self->base.next = pcap_live_next;
    self->base.fill = pcap_live_fill;
    self->base.destroy = pcap_live_destroy;
    self->base.count_drops = pcap_live_count_drops;
    self->base.pause = pcap_live_pause;
    self->base.resume = pcap_live_resume;
    self->base.configure = pcap_live_configure;
    watch_open(&self->watch, device);
    self->device = PyBytes_FromString(device);
    if (self->device && activate(self, config) == 0)
        return &self->base;
    pcap_live_destroy(&self->base);
    return NULL;
}
