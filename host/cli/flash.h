/* SPDX-License-Identifier: MIT */
/* flash.h - what `flash` and `watch` have in common. */
#ifndef SALLYPORT_CLI_FLASH_H
#define SALLYPORT_CLI_FLASH_H

#include "target.h"

struct flash_job {
    const char *path;
    const struct fw *fw;
    const uint32_t *address; /* of --address, or NULL */
};

/* Installs all of job->fw; t->update says how. */
bool flash_target(struct target *t, const struct flash_job *job,
                  struct update_result *r, struct fail *f);
void flash_json(struct json *j, const struct update_result *r);

#endif
