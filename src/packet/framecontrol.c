/* What the first two bytes of an IEEE 802.11 frame say. */
#include "framecontrol.h"

enum { VERSION = 0x03, VERSION_AND_TYPE = 0x0f };
enum { MANAGEMENT = 0x00, CONTROL = 0x04, DATA = 0x08, NO_DATA = 0x40 };

struct frame_control frame_control_read(const uint8_t *frame)
{
    bool swapped = (frame[0] & VERSION) != 0 && (frame[1] & VERSION) == 0;
    return (struct frame_control){frame[swapped], frame[!swapped]};
}

bool frame_control_has_data(struct frame_control control)
{
    return (control.first & VERSION_AND_TYPE) == DATA && !(control.first & NO_DATA);
}

bool ieee80211_is_frame(const uint8_t *data, uint32_t len)
{
    enum { LEAST_CONTROL = 10, LEAST = 24 };
    if (len < LEAST_CONTROL)
        return false;
    uint8_t type = frame_control_read(data).first & VERSION_AND_TYPE;
    return type == CONTROL || ((type == MANAGEMENT || type == DATA) && len >= LEAST);
}
