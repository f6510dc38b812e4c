/* Where packets are in their flows. */
#include "places.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1024 };

void flow_places_clear(struct flow_places *places)
{
    free(places->beginnings[0]);
    free(places->beginnings[1]);
    *places = (struct flow_places){.begun = 0};
}

bool flow_places_reserve(struct flow_places *places, bool v6, size_t slots)
{
    size_t room = places->room[v6] ? places->room[v6] : FIRST_ROOM;
    if (slots < places->room[v6])
        return true;
    while (room <= slots)
        room *= 2;
    struct flow_beginning *more = realloc(places->beginnings[v6], room * sizeof(*more));
    if (!more)
        return false;
    memset(more + places->room[v6], 0, (room - places->room[v6]) * sizeof(*more));
    places->beginnings[v6] = more;
    places->room[v6] = room;
    return true;
}

static void note_segment(struct flow_beginning *of, const struct flow_packet *packet,
                         struct flow_place *place)
{
    unsigned way = packet->way;
    bool syn = packet->tcp_flags & TCP_SYN;
    bool ack = packet->tcp_flags & TCP_ACK;
    /* a SYN of another number begins anew, also where the flow goes on */
    if (syn && !ack && of->has_base[way] && of->base[way] != place->seq)
        of->has_base[!way] = false;
    if (syn || !of->has_base[way]) {
        of->base[way] = syn ? place->seq : place->seq - 1;
        of->has_base[way] = true;
    }
    if (ack && !of->has_base[!way]) {
        of->base[!way] = place->ack - 1;
        of->has_base[!way] = true;
    }
    place->relative_seq = place->seq - of->base[way];
    place->known = PLACE_SEQ;
    if (ack) {
        place->relative_ack = place->ack - of->base[!way];
        place->known |= PLACE_ACK;
    }
}

void flow_places_move(struct flow_places *places, flow_ref from, flow_ref to)
{
    struct flow_beginning *beginnings = places->beginnings[flow_ref_is_6(from)];
    beginnings[to & ~FLOW_REF_6] = beginnings[from & ~FLOW_REF_6];
}

void flow_places_note(struct flow_places *places, flow_ref ref, const struct flow *flow,
                      const struct flow_packet *packet, size_t n)
{
    struct flow_beginning *of = &places->beginnings[flow_ref_is_6(ref)][ref & ~FLOW_REF_6];
    if (flow->number == packet->number) /* its first one */
        *of = (struct flow_beginning){.number = places->begun++};
    if (!places->next)
        return;
    struct flow_place *place = &places->next[n];
    place->flow = of->number;
    place->back = packet->way != flow_forward(flow);
    place->known = 0;
    if (packet->kind & PACKET_TCP)
        note_segment(of, packet, place);
}
