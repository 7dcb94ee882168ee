/* SPDX-License-Identifier: MIT */
/*
 * elf_fw.h - linked ARM programs in ELF (TIS ELF specification 1.2; "ELF for
 * the Arm Architecture", IHI 0044).  Not elf.h: the system has one.
 */
#ifndef SALLYPORT_ELF_FW_H
#define SALLYPORT_ELF_FW_H

#include "fw.h"

/* Reads what a programmer would put into memory: the loadable segments at
 * their physical addresses, without the ELF headers that a linker may have
 * put in front of the first section.  `name` stands in messages. */
bool elf_fw_read(struct fw *fw, int fd, const char *name, struct fail *f);

#endif
