/* SPDX-License-Identifier: MIT */
/* desc.c - see desc.h. */
#include "desc.h"

const uint8_t *desc_next(const uint8_t *config, size_t size, size_t *at)
{
    const uint8_t *d = config + *at;

    if (*at + 2 > size || d[0] < 2 || *at + d[0] > size)
        return NULL;
    *at += d[0];
    return d;
}

bool desc_is_current(const uint8_t *d, const uint8_t alt[DESC_INTERFACES])
{
    return d[1] == DESC_INTERFACE && d[0] >= 9 && d[2] < DESC_INTERFACES &&
           d[3] == alt[d[2]];
}

const uint8_t *desc_endpoint(const uint8_t *config, size_t size,
                             const uint8_t alt[DESC_INTERFACES],
                             unsigned address)
{
    bool current = false;
    const uint8_t *d;
    size_t at = 0;

    while ((d = desc_next(config, size, &at))) {
        if (d[1] == DESC_INTERFACE)
            current = desc_is_current(d, alt);
        else if (d[1] == DESC_ENDPOINT && d[0] >= 7 && current &&
                 d[2] == address)
            return d;
    }
    return NULL;
}
