# SPDX-License-Identifier: MIT
# Boards and chip families: which files drive them.
set(BOARDS stm32f103ze stm32f407 blackpill)
set(BOARD_stm32f103ze_FAMILY F103E)
set(BOARD_stm32f407_FAMILY F407)
set(BOARD_blackpill_FAMILY F411)

# STM32F103xE: Cortex-M3, 512 KB flash, 64 KB RAM, FSDEV
set(F103E_CPU -mcpu=cortex-m3 -mthumb -DSTM32F1)
set(F103E_FLASH_SIZE 0x80000)
set(F103E_RAM_SIZE 0x10000)
set(F103E_PORT startup.c mem.c crc.c plat.c plat_f1.c clock_f1.c flash_f1.c
    dcd_fsdev.c)
set(F103E_DEMO app/demo.c app/demo_stm32.c app/demo_f1.c app/sallyport_app.c
    core/usbd.c port/stm32/mem.c port/stm32/clock_f1.c port/stm32/dcd_fsdev.c)

# STM32F407xG: Cortex-M4 (its FPU stays off), 1 MB flash, 128 KB RAM, DWC2.
# An application starts behind the first sector, whatever the profile takes
# of it.
set(F407_CPU -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -DSTM32F4)
set(F407_FLASH_SIZE 0x100000)
set(F407_RAM_SIZE 0x20000)
set(F407_BOOT_SIZE 16384)
set(F407_PORT startup.c mem.c crc.c plat.c plat_f4.c clock_f4.c flash_f4.c
    dcd_dwc2.c)
set(F407_DEMO app/demo.c app/demo_stm32.c app/demo_f4.c app/sallyport_app.c
    core/usbd.c port/stm32/mem.c port/stm32/clock_f4.c port/stm32/dcd_dwc2.c)

# STM32F411xE: the same with 512 KB flash and 128 KB RAM
set(F411_CPU -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -DSTM32F4 -DSTM32F411)
set(F411_FLASH_SIZE 0x80000)
set(F411_RAM_SIZE 0x20000)
set(F411_BOOT_SIZE 16384)
set(F411_PORT ${F407_PORT})
set(F411_DEMO ${F407_DEMO})
