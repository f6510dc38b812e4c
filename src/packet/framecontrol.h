/* The two bytes that an IEEE 802.11 frame begins with (IEEE 802.11-2020 section 9.2.4.1).  No
 * Python here. */
#ifndef PLT_PACKET_FRAMECONTROL_H
#define PLT_PACKET_FRAMECONTROL_H

#include <stdbool.h>
#include <stdint.h>

struct frame_control {
    uint8_t first; /* version, type, subtype */
    uint8_t flags;
};

/* Of the first two bytes of a frame.  Access points may swap them in CAPWAP: then the version,
 * which is 0, is in the second. */
struct frame_control frame_control_read(const uint8_t *frame);
/* Whether the frame carries data, encrypted or not. */
bool frame_control_has_data(struct frame_control control);

/* Whether bytes can be a frame: version 0, a type that there is, and no less than its header. */
bool ieee80211_is_frame(const uint8_t *data, uint32_t len);

#endif
