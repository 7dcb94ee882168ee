# SPDX-License-Identifier: MIT
# Profiles: which doors and rules a bootloader has, where the application
# starts, and the ROM budget in bytes that fails the link.
set(PROFILES dfu dfu-dr)

# DFU 1.1 with DfuSe, open policy, in place; the stamp is honoured.
set(PROFILE_dfu_BOOT_SIZE 4096)
set(PROFILE_dfu_BUDGET 4096)
set(PROFILE_dfu_CORE main.c boot.c usbd.c dfu.c upd.c img.c personality.c)

# The same with double reset (500 ms) in place of the way back to the
# application after a minute without a host; uses the demo of dfu.
set(PROFILE_dfu-dr_BOOT_SIZE ${PROFILE_dfu_BOOT_SIZE})
set(PROFILE_dfu-dr_BUDGET ${PROFILE_dfu_BUDGET})
set(PROFILE_dfu-dr_CORE ${PROFILE_dfu_CORE})
set(PROFILE_dfu-dr_OPTIONS CONFIG_DOUBLE_RESET_MS=500
    CONFIG_NO_HOST_MS=0)
set(PROFILE_dfu-dr_IS_OPTION TRUE)
