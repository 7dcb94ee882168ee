# SPDX-License-Identifier: MIT
# Chip families: which files drive them.  A board says which one it has
# (boards.cmake), and how large its memories are.
set(FAMILIES F103 F107 F407 F411 F072 L072)

# STM32F103: Cortex-M3, FSDEV, flash of 1 or 2 KB pages
set(F103_CPU -mcpu=cortex-m3 -mthumb -DSTM32F1)
set(F103_PORT startup.c mem.c crc.c plat.c plat_f1.c clock_f1.c flash_f1.c
    dcd_fsdev.c)
set(F103_DEMO app/demo.c app/demo_stm32.c app/demo_f1.c app/sallyport_app.c
    core/usbd.c port/stm32/mem.c port/stm32/clock_f1.c port/stm32/dcd_fsdev.c)

# STM32F105 and F107: the same with DWC2 and more PLLs
set(F107_CPU -mcpu=cortex-m3 -mthumb -DSTM32F1 -DSTM32F107)
set(F107_PORT startup.c mem.c crc.c plat.c plat_f1.c clock_f107.c flash_f1.c
    dcd_dwc2.c)
set(F107_DEMO app/demo.c app/demo_stm32.c app/demo_f1.c app/sallyport_app.c
    core/usbd.c port/stm32/mem.c port/stm32/clock_f107.c port/stm32/dcd_dwc2.c)

# STM32F405 and F407: Cortex-M4 (its FPU stays off), DWC2, flash of sectors.
# An application starts behind the first sector, whatever the profile takes
# of it.
set(F407_CPU -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -DSTM32F4)
set(F407_BOOT_SIZE 16384)
set(F407_PORT startup.c mem.c crc.c plat.c plat_f4.c clock_f4.c flash_f4.c
    dcd_dwc2.c)
set(F407_DEMO app/demo.c app/demo_stm32.c app/demo_f4.c app/sallyport_app.c
    core/usbd.c port/stm32/mem.c port/stm32/clock_f4.c port/stm32/dcd_dwc2.c)

# STM32F411: the same with another clock tree
set(F411_CPU -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -DSTM32F4 -DSTM32F411)
set(F411_BOOT_SIZE 16384)
set(F411_PORT ${F407_PORT})
set(F411_DEMO ${F407_DEMO})

# STM32F072: Cortex-M0, FSDEV of the second generation, flash as F103 has it,
# no crystal
# Its code is a tenth larger and does not fit into 4 KB but packed; there is no
# RAM for the unpacked drive.
set(F072_PACKED dfu dfu-dr dfu11)
set(F072_CODE -fira-algorithm=CB -fssa-phiopt -fmove-loop-invariants
    -fno-jump-tables -fno-forward-propagate)
set(F072_CPU -mcpu=cortex-m0 -mthumb -fno-jump-tables -DSTM32F0 -DFSDEV_PMA_STRIDE=1u)
set(F072_PORT startup.c mem.c crc.c plat.c plat_f0.c clock_f0.c flash_f1.c
    dcd_fsdev.c)
set(F072_DEMO app/demo.c app/demo_stm32.c app/demo_f0.c app/sallyport_app.c
    core/usbd.c port/stm32/mem.c port/stm32/clock_f0.c port/stm32/dcd_fsdev.c)

# STM32L072xZ: Cortex-M0+, 192 KB flash, 20 KB RAM, FSDEV of the second
# generation
set(L072_CPU -mcpu=cortex-m0plus -mthumb -fno-jump-tables -DSTM32L0 -DFSDEV_PMA_STRIDE=1u)
set(L072_PACKED dfu dfu-dr dfu11) # as F072
set(L072_CODE -fira-algorithm=CB -fssa-phiopt -fmove-loop-invariants
    -fno-jump-tables -fno-forward-propagate)
set(L072_PORT startup.c mem.c crc.c plat.c plat_l0.c clock_l0.c flash_l0.c
    dcd_fsdev.c)
set(L072_DEMO app/demo.c app/demo_stm32.c app/demo_l0.c app/sallyport_app.c
    core/usbd.c port/stm32/mem.c port/stm32/clock_l0.c port/stm32/dcd_fsdev.c)
