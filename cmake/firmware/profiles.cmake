# SPDX-License-Identifier: MIT
# Profiles: which doors and rules a bootloader has, where the application
# starts, and the ROM budget in bytes that fails the link.
set(PROFILES dfu)

# DFU 1.1 with DfuSe, open policy, in place; the stamp is honoured.
set(PROFILE_dfu_BOOT_SIZE 4096)
set(PROFILE_dfu_BUDGET 4096)
set(PROFILE_dfu_CORE main.c boot.c usbd.c dfu.c upd.c img.c personality.c)
set(PROFILE_dfu_OPTIONS CONFIG_DOUBLE_RESET_MS=0)
