# SPDX-License-Identifier: MIT
# Profiles: which doors and rules a bootloader has, where the application
# starts, and the ROM budget in bytes that fails the link.  Chips with DWC2 have
# budgets of their own; where a family's sectors are larger than a bootloader,
# they say where the application starts (families.cmake).
set(PROFILES dfu dfu-dr dfu11 both drive staged full)

# DFU 1.1 with DfuSe, open policy, in place; the stamp is honoured.
set(PROFILE_dfu_BOOT_SIZE 4096)
set(PROFILE_dfu_BOOT_SIZE_F107 6144)
set(PROFILE_dfu_BUDGET 4096)
set(PROFILE_dfu_BUDGET_DWC2 4608)
set(PROFILE_dfu_CORE main.c boot.c usbd.c dfu.c upd.c upd_place.c part.c hex.c
    personality.c)

# The same with double reset (500 ms) in place of the way back to the
# application after a minute without a host; uses the demo of dfu.
set(PROFILE_dfu-dr_BOOT_SIZE ${PROFILE_dfu_BOOT_SIZE})
set(PROFILE_dfu-dr_BOOT_SIZE_F107 ${PROFILE_dfu_BOOT_SIZE_F107})
set(PROFILE_dfu-dr_BUDGET ${PROFILE_dfu_BUDGET})
set(PROFILE_dfu-dr_BUDGET_DWC2 ${PROFILE_dfu_BUDGET_DWC2})
set(PROFILE_dfu-dr_CORE ${PROFILE_dfu_CORE})
set(PROFILE_dfu-dr_OPTIONS CONFIG_DOUBLE_RESET_MS=500
    CONFIG_NO_HOST_MS=0)
set(PROFILE_dfu-dr_IS_OPTION TRUE)

# Plain DFU 1.1, without ST's extension.
set(PROFILE_dfu11_BOOT_SIZE ${PROFILE_dfu_BOOT_SIZE})
set(PROFILE_dfu11_BOOT_SIZE_F107 ${PROFILE_dfu_BOOT_SIZE_F107})
set(PROFILE_dfu11_BUDGET ${PROFILE_dfu_BUDGET})
set(PROFILE_dfu11_BUDGET_DWC2 ${PROFILE_dfu_BUDGET_DWC2})
set(PROFILE_dfu11_CORE ${PROFILE_dfu_CORE})
set(PROFILE_dfu11_OPTIONS CONFIG_DFUSE=0)
set(PROFILE_dfu11_IS_OPTION TRUE)

# What the passes of the optimiser do to the size of these, packed, was
# measured as well: some 100 B of profile drive.
set(DRIVE_CODE -fno-tree-loop-optimize -fno-forward-propagate
    -fno-thread-jumps -ftree-forwprop -ftree-fre -fcode-hoisting
    -fno-tree-tail-merge -fno-optimize-sibling-calls -fno-ipa-modref
    -fno-tree-ter -fipa-vrp -fno-caller-saves)

# DFU and the drive, one composite device.
set(PROFILE_both_BOOT_SIZE 8192)
set(PROFILE_both_BOOT_SIZE_F107 10240)
set(PROFILE_both_BUDGET 8192)
set(PROFILE_both_BUDGET_DWC2 9216)
set(PROFILE_both_BOOT_SIZE_F072 10240) # not packed: five pages
set(PROFILE_both_BUDGET_F072 10240)
set(PROFILE_both_BOOT_SIZE_L072 11264) # not packed
set(PROFILE_both_BUDGET_L072 11264)
set(PROFILE_both_CORE main.c boot.c usbd.c dfu.c upd.c upd_place.c hex.c personality.c
    msc.c scsi.c drive.c fat.c)
set(PROFILE_both_OPTIONS CONFIG_MSC=1)
set(PROFILE_both_CODE ${DRIVE_CODE})
set(PROFILE_both_IS_PACKED TRUE)

# The drive alone.
set(PROFILE_drive_BOOT_SIZE 8192)
set(PROFILE_drive_BOOT_SIZE_F107 10240)
set(PROFILE_drive_BUDGET 6144)
set(PROFILE_drive_BUDGET_DWC2 7168)
set(PROFILE_drive_BUDGET_F072 8192)
set(PROFILE_drive_BOOT_SIZE_L072 9216)
set(PROFILE_drive_BUDGET_L072 9216)
set(PROFILE_drive_CORE main.c boot.c usbd.c upd.c upd_place.c hex.c personality.c
    msc.c scsi.c drive.c fat.c)
set(PROFILE_drive_OPTIONS CONFIG_DFU=0 CONFIG_MSC=1)
set(PROFILE_drive_CODE ${DRIVE_CODE})
set(PROFILE_drive_IS_PACKED TRUE)

# DFU and the drive, over a partition of its own for what comes.
set(PROFILE_staged_BOOT_SIZE 16384)
set(PROFILE_staged_BUDGET 12288)
set(PROFILE_staged_BUDGET_F072 13312)
set(PROFILE_staged_BUDGET_L072 13312)
set(PROFILE_staged_CORE main.c boot.c usbd.c dfu.c upd.c upd_staged.c stage.c
    hex.c personality.c msc.c scsi.c drive.c drive_raw.c fat.c)
set(PROFILE_staged_OPTIONS CONFIG_MSC=1 CONFIG_STAGED=1)
set(PROFILE_staged_CODE -fno-tree-loop-optimize -fno-thread-jumps -fno-ipa-cp)

# The same, and on the drive .hex and .dfu files, and files to read.
set(PROFILE_full_BOOT_SIZE ${PROFILE_staged_BOOT_SIZE})
set(PROFILE_full_BUDGET 16384)
set(PROFILE_full_CORE ${PROFILE_staged_CORE} drive_convert.c formats.c
    fat_files.c)
set(PROFILE_full_OPTIONS ${PROFILE_staged_OPTIONS} CONFIG_FORMATS=1
    CONFIG_FILES=1)
set(PROFILE_full_CODE ${PROFILE_staged_CODE} -fira-algorithm=CB
    -fira-region=mixed -fcode-hoisting -fno-ipa-modref -fno-caller-saves)

# Bytes of flash before the application, and the budget.
function(profile_boot_size result family profile)
    set(size ${PROFILE_${profile}_BOOT_SIZE})
    if(DEFINED PROFILE_${profile}_BOOT_SIZE_${family})
        set(size ${PROFILE_${profile}_BOOT_SIZE_${family}})
    elseif(DEFINED ${family}_BOOT_SIZE)
        set(size ${${family}_BOOT_SIZE})
    endif()
    set(${result} ${size} PARENT_SCOPE)
endfunction()

# Whether its code is packed in flash and runs from RAM: a family may have a
# list of its own (families.cmake).
function(profile_is_packed result family profile)
    if(DEFINED ${family}_PACKED)
        set(packed FALSE)
        if(profile IN_LIST ${family}_PACKED)
            set(packed TRUE)
        endif()
    else()
        set(packed ${PROFILE_${profile}_IS_PACKED})
    endif()
    set(${result} ${packed} PARENT_SCOPE)
endfunction()

# Flags for the code beside those of all, found by measuring: the profile's, but
# for those of packed code that is not packed here, and the family's.
function(profile_code result family profile)
    set(code ${PROFILE_${profile}_CODE})
    profile_is_packed(packed ${family} ${profile})
    if(PROFILE_${profile}_IS_PACKED AND NOT packed)
        set(code)
    endif()
    set(${result} ${code} ${${family}_CODE} PARENT_SCOPE)
endfunction()

function(profile_budget result family profile)
    set(budget ${PROFILE_${profile}_BUDGET})
    if(DEFINED PROFILE_${profile}_BUDGET_${family})
        set(budget ${PROFILE_${profile}_BUDGET_${family}})
    elseif(dcd_dwc2.c IN_LIST ${family}_PORT AND
            DEFINED PROFILE_${profile}_BUDGET_DWC2)
        set(budget ${PROFILE_${profile}_BUDGET_DWC2})
    endif()
    if(DEFINED PROFILE_${profile}_BUDGET_${family})
        set(budget ${PROFILE_${profile}_BUDGET_${family}})
    endif()
    set(${result} ${budget} PARENT_SCOPE)
endfunction()
