# SPDX-License-Identifier: MIT
# Boards and chip families: which files drive them.
set(BOARDS stm32f103ze)
set(BOARD_stm32f103ze_FAMILY F103E)

# STM32F103xE: Cortex-M3, 512 KB flash, 64 KB RAM, FSDEV
set(F103E_CPU -mcpu=cortex-m3 -mthumb)
set(F103E_FLASH_SIZE 0x80000)
set(F103E_RAM_SIZE 0x10000)
set(F103E_PORT startup.c mem.c plat_f1.c clock_f1.c flash_f1.c dcd_fsdev.c)
set(F103E_DEMO app/demo.c app/demo_f1.c app/sallyport_app.c core/usbd.c
    port/stm32/clock_f1.c port/stm32/dcd_fsdev.c)
