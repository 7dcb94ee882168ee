# SPDX-License-Identifier: MIT
"""
register_map - which of our register constants is called what in the vendor's
headers; data for compare-registers.

A rule is (pattern of our name, candidates, how our value is written): the
first pattern that fits counts, and the first candidate that the headers have.
Candidates: NAME, TYPE.MEMBER (an offset), BASE@TYPE.MEMBER (an address),
=EXPRESSION.  `extra` has pairs of expressions, `fields` macros that take a
field out of a register, with the field's mask.
"""

FAMILIES = {
    "F1": {"header": "stm32f1xx.h", "core": "core_cm3.h",
           "flags": ["-mcpu=cortex-m3", "-DSTM32F103xE"]},
    "F4": {"header": "stm32f4xx.h", "core": "core_cm4.h",
           "flags": ["-mcpu=cortex-m4", "-DSTM32F407xx"]},
}


def rule(pattern, candidates, own="{}"):
    return pattern, candidates, own


# ---- what both sides of a family share ----

USB = [
    rule(r"EP_STAT_(RX|TX)", r"USB_EP\1_STAT"),
    rule(r"EP_TYPE", r"USB_EP_T_FIELD"),
    rule(r"EP_TYPE_ISO", r"USB_EP_ISOCHRONOUS"),
    rule(r"EP_TYPE_(\w+)", r"USB_EP_\1"),
    rule(r"EP_EA", r"USB_EPADDR_FIELD"),
    rule(r"EP_(\w+)", r"USB_EP_\1"),
    rule(r"STAT_(DISABLED|STALL|NAK|VALID)", r"USB_EP_TX_\1", "{} << 4"),
    rule(r"FNR_LSOF", r"USB_FNR_LSOF", "3 * {}"),
    rule(r"(CNTR|ISTR|FNR|DADDR)_(\w+)", r"USB_\1_\2"),
    rule(r"USB_(\w+)", r"USB_TypeDef.\1"),
]
CORTEX = [
    rule(r"CSR_(\w+)", r"SysTick_CTRL_\1_Msk"),
    rule(r"TICK_MASK", r"SysTick_LOAD_RELOAD_Msk"),
    rule(r"(CCR|SCR|HFSR|SHCSR|CFSR|ICSR|AIRCR)_(\w+)", r"SCB_\1_\2_Msk"),
    rule(r"SYST_CSR", "SysTick_BASE@SysTick_Type.CTRL", "SCS_BASE + {}"),
    rule(r"SYST_RVR", "SysTick_BASE@SysTick_Type.LOAD", "SCS_BASE + {}"),
    rule(r"SYST_CVR", "SysTick_BASE@SysTick_Type.VAL", "SCS_BASE + {}"),
    rule(r"SYST_CALIB", "SysTick_BASE@SysTick_Type.CALIB", "SCS_BASE + {}"),
    rule(r"NVIC_IPR", "NVIC_BASE@NVIC_Type.IP NVIC_BASE@NVIC_Type.IPR",
         "SCS_BASE + {}"),
    rule(r"NVIC_(\w+)", r"NVIC_BASE@NVIC_Type.\1", "SCS_BASE + {}"),
    rule(r"STIR", r"NVIC_BASE@NVIC_Type.STIR", "SCS_BASE + {}"),
    rule(r"ICTR", r"SCS_BASE@SCnSCB_Type.ICTR", "SCS_BASE + {}"),
    rule(r"SHPR", "SCB_BASE@SCB_Type.SHP SCB_BASE@SCB_Type.SHPR",
         "SCS_BASE + {}"),
    rule(r"MPU_TYPE", r"MPU_BASE@MPU_Type.TYPE", "SCS_BASE + {}"),
    rule(r"D(HCSR|EMCR)", r"CoreDebug_BASE@CoreDebug_Type.D\1",
         "SCS_BASE + {}"),
    rule(r"FP(CCR|CAR|DSCR)", r"FPU_BASE@FPU_Type.FP\1", "SCS_BASE + {}"),
    rule(r"SCS_BASE", r"SCS_BASE"),
    rule(r"DWT_(\w+)", r"DWT_BASE@DWT_Type.\1"),
    rule(r"([A-Z]+)", r"SCB_BASE@SCB_Type.\1", "SCS_BASE + {}"),
]
PORT = [
    rule(r"SYSTICK_CTRL_(\w+)", r"SysTick_CTRL_\1_Msk"),
    rule(r"SCB_(VTOR|AIRCR)", r"SCB_BASE@SCB_Type.\1"),
    rule(r"SCB_AIRCR_RESET",
         r"=(0x5fau<<SCB_AIRCR_VECTKEY_Pos|SCB_AIRCR_SYSRESETREQ_Msk)"),
    rule(r"RCC_CFGR_SWS_MASK", r"RCC_CFGR_SWS"),
    rule(r"RCC_CFGR_PLLSRC_HSE", r"RCC_CFGR_PLLSRC"),
    rule(r"RCC_CFGR_USBPRE_DIV1", r"RCC_CFGR_USBPRE"),
    rule(r"RCC_AHB1_RESET", "RCC_AHB1ENR_CCMDATARAMEN"),
    rule(r"RCC_AHB_RESET", "=(RCC_AHBENR_SRAMEN|RCC_AHBENR_FLITFEN)"),
    rule(r"RCC_(AHB\d?|APB\d)_(\w+)", r"RCC_\1ENR_\2EN"),
    rule(r"FLASH_ACR_LATENCY_1", r"FLASH_ACR_LATENCY_0"),  # bit 0
    rule(r"FLASH_CR_X8", r"=0"),
    rule(r"FLASH_CR_X32", r"FLASH_CR_PSIZE_1"),
    rule(r"(RCC|FLASH|USART|UID)_(\w+)", r"\1_\2"),
]
PORT_POINTERS = {
    "RCC": ("rcc", "RCC_BASE", "RCC_TypeDef", {}),
    "FLASH": ("flash_regs", "FLASH_R_BASE", "FLASH_TypeDef", {}),
    "GPIO('A')": ("gpio", "GPIOA_BASE", "GPIO_TypeDef",
                  {"CR[0]": "CRL", "CR[1]": "CRH"}),
    "GPIO('D')": ("gpio", "GPIOD_BASE", "GPIO_TypeDef",
                  {"CR[0]": "CRL", "CR[1]": "CRH"}),
}
SHARED_POINTERS = {
    "IWDG": ("iwdg", "IWDG_BASE", "IWDG_TypeDef", {}),
    "SYSTICK": ("systick", "SysTick_BASE", "SysTick_Type", {}),
    "((struct usart *)0)": ("usart", "0", "USART_TypeDef", {}),
}
USART = [
    rule(r"CR3_DMA", r"=(USART_CR3_DMAT|USART_CR3_DMAR)"),
    rule(r"(SR|CR\d)_(\w+)", r"USART_\1_\2"),
    rule(r"(\w+)", r"USART_TypeDef.\1"),
]
IWDG = [rule(r"([A-Z]+)", r"IWDG_TypeDef.\1")]
CRC = [rule(r"CR_RESET", "CRC_CR_RESET"), rule(r"([A-Z]+)", r"CRC_TypeDef.\1")]
PWR = [
    rule(r"CSR_READY", "PWR_CSR_VOSRDY"),
    rule(r"(CR|CSR)_(\w+)", r"PWR_\1_\2"),
    rule(r"BKP(\d+)R", r"RTC_TypeDef.BKP\1R"),
    rule(r"PWR_(\w+)", r"PWR_TypeDef.\1"),
    rule(r"(?:BKP_)?(\w+)", r"BKP_TypeDef.\1"),
]
RCC = [
    rule(r"CR_TRIM", "RCC_CR_HSITRIM"),
    rule(r"CR_HSICAL", ""),
    rule(r"CFGR_PLLMUL", "RCC_CFGR_PLLMULL"),
    rule(r"PLLCFGR_SRC", "RCC_PLLCFGR_PLLSRC"),
    rule(r"CFGR_MCO", "=(RCC_CFGR_MCO1|RCC_CFGR_MCO2)"),
    rule(r"AHB1_CCM", "RCC_AHB1ENR_CCMDATARAMEN"),
    rule(r"AHB2_OTG", "RCC_AHB2ENR_OTGFSEN"),
    rule(r"(SW_(?:HSI|HSE|PLL))", r"RCC_CFGR_\1"),
    rule(r"(\w+_\w+)", r"RCC_\1"),
    rule(r"(\w+)", r"RCC_TypeDef.\1"),
]
FLASH = [
    rule(r"OPTCR_(LOCK|STRT)", r"FLASH_OPTCR_OPT\1"),
    rule(r"SR_OPERR", "FLASH_SR_OPERR FLASH_SR_SOP"),
    rule(r"X32", "FLASH_CR_PSIZE_1", "{} << 8"),
    rule(r"X16", "FLASH_CR_PSIZE_0", "{} << 8"),
    rule(r"(KEY\d)", r"FLASH_\1"),
    rule(r"(\w+_\w+)", r"FLASH_\1"),
    rule(r"(\w+)", r"FLASH_TypeDef.\1"),
]

# ---- DWC2 ----

OTG_IN = "USB_OTG_IN_ENDPOINT_BASE"
OTG_OUT = "USB_OTG_OUT_ENDPOINT_BASE"
OTG_BITS = [
    rule(r"(?:DWC2_)?GINT_GONAKEFF", "USB_OTG_GINTSTS_BOUTNAKEFF"),
    rule(r"(?:DWC2_)?GINT_WKUPINT", "USB_OTG_GINTSTS_WKUINT"),
    rule(r"(?:DWC2_)?GINT_(\w+)", r"USB_OTG_GINTSTS_\1"),
    rule(r"(?:DWC2_)?(?:EP)?CTL_DPID", "USB_OTG_DIEPCTL_EONUM_DPID"),
    rule(r"(?:DWC2_)?(?:EP)?CTL_SD0PID", "USB_OTG_DIEPCTL_SD0PID_SEVNFRM"),
    rule(r"(?:DWC2_)?(?:EP)?CTL_SD1PID", "USB_OTG_DIEPCTL_SODDFRM"),
    rule(r"(?:DWC2_)?(?:EP)?CTL_ISO", "USB_OTG_DIEPCTL_EPTYP_0"),
    rule(r"(?:DWC2_)?(?:EP)?CTL_TXFNUM_AT", "USB_OTG_DIEPCTL_TXFNUM_Pos"),
    rule(r"(?:DWC2_)?(?:EP)?CTL_(\w+)",
         r"USB_OTG_DIEPCTL_\1 USB_OTG_DOEPCTL_\1"),
    rule(r"INT_(\w+)", r"USB_OTG_DIEPINT_\1 USB_OTG_DOEPINT_\1"),
    rule(r"DCFG_FS", r"USB_OTG_DCFG_DSPD"),
    rule(r"DSTS_FS", r"USB_OTG_DSTS_ENUMSPD"),
    rule(r"PCGCCTL_STPPCLK", "USB_OTG_PCGCCTL_STOPCLK"),
    rule(r"DWC2_DCFG_DSPD_FS", "USB_OTG_DCFG_DSPD"),
    rule(r"DWC2_DCFG_DAD_MASK", "USB_OTG_DCFG_DAD"),
    rule(r"DWC2_GRSTCTL_(\w+)", r"USB_OTG_GRSTCTL_\1"),
    rule(r"DWC2_GCCFG_NO_VBUS", "USB_OTG_GCCFG_NOVBUSSENS"),
    rule(r"DWC2_EPTSIZ_PKTCNT_1",
         "=(USB_OTG_DIEPTSIZ_PKTCNT&-USB_OTG_DIEPTSIZ_PKTCNT)"),
    rule(r"DWC2_DOEPTSIZ_STUPCNT_3", "USB_OTG_DOEPTSIZ_STUPCNT"),
]
DWC2_SIM = OTG_BITS + [
    rule(r"OTG_DIEPTXF0",
         "USB_OTG_GlobalTypeDef.DIEPTXF0_HNPTXFSIZ"),
    rule(r"OTG_DIEPTXF1", "USB_OTG_GlobalTypeDef.DIEPTXF"),
    rule(r"OTG_HOST", "USB_OTG_HOST_BASE"),
    rule(r"OTG_DIEP", OTG_IN),
    rule(r"OTG_DOEP", OTG_OUT),
    rule(r"OTG_PCGCCTL", "USB_OTG_PCGCCTL_BASE"),
    rule(r"OTG_FIFO", "USB_OTG_FIFO_BASE"),
    rule(r"OTG_FIFO_SIZE", "USB_OTG_FIFO_SIZE"),
    rule(r"OTG_(\w+)", r"USB_OTG_GlobalTypeDef.\1 "
         r"USB_OTG_DEVICE_BASE@USB_OTG_DeviceTypeDef.\1"),
    rule(r"EP_CTL", "USB_OTG_INEndpointTypeDef.DIEPCTL"),
    rule(r"EP_INT", "USB_OTG_INEndpointTypeDef.DIEPINT"),
    rule(r"EP_TSIZ", "USB_OTG_INEndpointTypeDef.DIEPTSIZ"),
    rule(r"EP_TXFSTS", "USB_OTG_INEndpointTypeDef.DTXFSTS"),
    rule(r"(\w+_\w+)", r"USB_OTG_\1"),
]
FS = "USB_OTG_FS_PERIPH_BASE"
DWC2_PORT = OTG_BITS + [
    rule(r"DWC2_BASE", FS),
    rule(r"DWC2_FIFO", "=%s+USB_OTG_FIFO_BASE" % FS),
    rule(r"DWC2_DIEPTXF0",
         FS + "@USB_OTG_GlobalTypeDef.DIEPTXF0_HNPTXFSIZ"),
    rule(r"DWC2_(DIEP\w+?)_(\w+)", r"USB_OTG_\1_\2"),
    rule(r"DWC2_(DOEP\w+?)_(\w+)", r"USB_OTG_\1_\2"),
    rule(r"DWC2_(DIEP\w+)",
         r"%s+%s@USB_OTG_INEndpointTypeDef.\1" % (FS, OTG_IN)),
    rule(r"DWC2_(DOEP\w+)",
         r"%s+%s@USB_OTG_OUTEndpointTypeDef.\1" % (FS, OTG_OUT)),
    rule(r"DWC2_(G\w+|D\w+)_(\w+)", r"USB_OTG_\1_\2"),
    rule(r"DWC2_(\w+)", r"%s@USB_OTG_GlobalTypeDef.\1 "
         r"%s+USB_OTG_DEVICE_BASE@USB_OTG_DeviceTypeDef.\1" % (FS, FS)),
]

# ---- FSDEV of the port ----

FSDEV_PORT = [
    rule(r"FSDEV_BASE", "USB_BASE"),
    rule(r"FSDEV_PMA", "USB_PMAADDR"),
    rule(r"FSDEV_EPR_STAT_(RX|TX)", r"USB_EP\1_STAT"),
    rule(r"FSDEV_EPR_RW",
         r"=(USB_EP_T_FIELD|USB_EP_KIND|USB_EPADDR_FIELD)"),
    rule(r"FSDEV_EPR_(\w+)", r"USB_EP_\1"),
    rule(r"FSDEV_COUNT_RX_64",
         "=(USB_COUNT0_RX_BLSIZE|USB_COUNT0_RX_NUM_BLOCK_0)"),
    rule(r"FSDEV_COUNT_RX_MASK", "USB_COUNT0_RX_COUNT0_RX"),
    rule(r"FSDEV_(\w+?)_(\w+)", r"USB_\1_\2"),
    rule(r"FSDEV_(\w+)", r"USB_BASE@USB_TypeDef.\1"),
]

# ---- tables of peripherals ----

MODEL_F1 = {
    "gpio_bus": "APB2",
    "bases": {"FLASH": "FLASH_R_BASE", "FSMC": "FSMC_R_BASE"},
    "clocks": {"GPIO" + port: "IOP" + port for port in "ABCDEFG"},
    "irqs": {"USB": "USB_HP_CAN1_TX_IRQn USB_LP_CAN1_RX0_IRQn "
                    "USBWakeUp_IRQn"},
}
MODEL_F4 = {
    "gpio_bus": "AHB1",
    "bases": {"FLASH": "FLASH_R_BASE", "OTG_FS": FS, "FSMC": "FSMC_R_BASE",
              "OTG_HS": "USB_OTG_HS_PERIPH_BASE", "ADC": "ADC1_BASE"},
    "clocks": {"OTG_FS": "OTGFS", "OTG_HS": "OTGHS", "ETH": "ETHMAC",
               "ADC": "ADC1", "I2S2ext": "SPI2", "I2S3ext": "SPI3"},
    "irqs": {"OTG_FS": "OTG_FS_IRQn OTG_FS_WKUP_IRQn"},
}

# ---- the files ----


def entry(file, family, rules=(), **more):
    return {"file": file, "family": family, "rules": list(rules), **more}


FILES = [
    entry("port/stm32/stm32.h", "F1", PORT, pointers=SHARED_POINTERS,
          flags=["-mcpu=cortex-m3", "-DSTM32F1"]),
    entry("port/stm32/stm32f1.h", "F1", PORT, pointers=PORT_POINTERS,
          flags=["-mcpu=cortex-m3", "-include", "stm32.h", "-DSTM32F1"],
          extra=[("USART1", "USART1_BASE"),
                 ("RCC_APB2_IOP('B')", "RCC_APB2ENR_IOPBEN"),
                 ("RCC_CFGR_PLLMUL(6u)", "RCC_CFGR_PLLMULL6"),
                 ("GPIO_OUT_2MHZ", "GPIO_CRL_MODE0_1"),
                 ("GPIO_OUT_ALT_2MHZ", "GPIO_CRL_MODE0_1|GPIO_CRL_CNF0_1"),
                 ("GPIO_IN_FLOATING", "GPIO_CRL_CNF0_0"),
                 ("GPIO_IN_PULL", "GPIO_CRL_CNF0_1")]),
    entry("port/stm32/fsdev.h", "F1", FSDEV_PORT,
          flags=["-mcpu=cortex-m3"],
          extra=[("&FSDEV_EPR(0)", "&USB->EP0R"),
                 ("&FSDEV_EPR(7)", "&USB->EP7R")]),
    entry("port/stm32/stm32.h", "F4", PORT, pointers=SHARED_POINTERS,
          flags=["-mcpu=cortex-m4", "-DSTM32F4"]),
    entry("port/stm32/stm32f4.h", "F4", PORT, pointers=PORT_POINTERS,
          flags=["-mcpu=cortex-m4", "-include", "stm32.h", "-DSTM32F4"],
          extra=[("USART2", "USART2_BASE"),
                 ("RCC_AHB1_GPIO('D')", "RCC_AHB1ENR_GPIODEN"),
                 ("RCC_PLLCFGR(63u, 511u, 15u) & ~(7u << 28)",
                  "RCC_PLLCFGR_PLLM|RCC_PLLCFGR_PLLN|RCC_PLLCFGR_PLLQ"),
                 ("FLASH_CR_SNB(15u)",
                  "FLASH_CR_SNB&~(FLASH_CR_SNB_4)"),
                 ("FLASH_ACR_LATENCY(5)", "FLASH_ACR_LATENCY_5WS")]),
    entry("port/stm32/dwc2.h", "F4", DWC2_PORT,
          flags=["-mcpu=cortex-m4"],
          fields=[("DWC2_GRXSTS_BCNT", "USB_OTG_GRXSTSP_BCNT"),
                  ("DWC2_GRXSTS_PKTSTS", "USB_OTG_GRXSTSP_PKTSTS")],
          extra=[("DWC2_GUSBCFG_TRDT(15u)", "USB_OTG_GUSBCFG_TRDT"),
                 ("DWC2_DCFG_DAD(127u)", "USB_OTG_DCFG_DAD")]),
    entry("sim/model_f1.c", "F1", model=MODEL_F1),
    entry("sim/fsdev_regs.h", "F1", USB),
    entry("sim/rcc.h", "F1", RCC),
    entry("sim/rcc_f1.c", "F1", RCC),
    entry("sim/flash_f1.c", "F1", FLASH),
    entry("sim/gpio_f1.c", "F1", [
        rule(r"MODE|CNF", r"GPIO_CRL_\g<0>0"),
        rule(r"IN_PULL|OUT_ALTERNATE", "GPIO_CRL_CNF0_1"),
        rule(r"OUT_OPEN_DRAIN", "GPIO_CRL_CNF0_0"),
        rule(r"LCKK", "GPIO_LCKR_LCKK"),
        rule(r"MAPR", "AFIO_TypeDef.MAPR", "4 * {}"),
        rule(r"SWJ_CFG", "AFIO_MAPR_SWJ_CFG"),
        rule(r"([A-Z]+)", r"GPIO_TypeDef.\1")]),
    entry("sim/usart.c", "F1", USART),
    entry("sim/iwdg.c", "F1", IWDG),
    entry("sim/bkp_pwr.c", "F1", PWR),
    entry("sim/crc.c", "F1", CRC),
    entry("sim/scs.c", "F1", CORTEX),
    entry("sim/cortex.c", "F1", CORTEX),
    entry("sim/dwc2_regs.h", "F4", DWC2_SIM,
          fields=[("GUSBCFG_TRDT", "USB_OTG_GUSBCFG_TRDT"),
                  ("GRSTCTL_TXFNUM", "USB_OTG_GRSTCTL_TXFNUM"),
                  ("DCFG_DAD", "USB_OTG_DCFG_DAD"),
                  ("DCFG_PFIVL", "USB_OTG_DCFG_PFIVL"),
                  ("RXSTS_EP", "USB_OTG_GRXSTSP_EPNUM"),
                  ("RXSTS_BCNT", "USB_OTG_GRXSTSP_BCNT"),
                  ("RXSTS_PKTSTS", "USB_OTG_GRXSTSP_PKTSTS")]),
    entry("sim/scs.c", "F4", CORTEX),
    entry("sim/cortex.c", "F4", CORTEX),
    entry("sim/model_f4.c", "F4", model=MODEL_F4),
    entry("sim/rcc.h", "F4", RCC),
    entry("sim/rcc_f4.c", "F4", RCC),
    entry("sim/flash_f4.c", "F4", FLASH),
    entry("sim/gpio_f4.c", "F4", [
        rule(r"AFRL", "GPIO_TypeDef.AFR"),
        rule(r"AFRH", "GPIO_TypeDef.AFR", "{} - 4"),
        rule(r"MODE_INPUT|PULL_NONE", "=0"),
        rule(r"MODE_OUTPUT", "GPIO_MODER_MODER0_0"),
        rule(r"MODE_ALTERNATE", "GPIO_MODER_MODER0_1"),
        rule(r"MODE_ANALOG", "GPIO_MODER_MODER0"),
        rule(r"PULL_UP", "GPIO_PUPDR_PUPDR0_0"),
        rule(r"PULL_DOWN", "GPIO_PUPDR_PUPDR0_1"),
        rule(r"LCKK", "GPIO_LCKR_LCKK"),
        rule(r"(CMPCR_READY)", r"SYSCFG_\1"),
        rule(r"([A-Z]+)", r"GPIO_TypeDef.\1 SYSCFG_TypeDef.\1")]),
    entry("sim/pwr_f4.c", "F4", PWR),
    entry("sim/usart.c", "F4", USART),
    entry("sim/iwdg.c", "F4", IWDG),
    entry("sim/crc.c", "F4", CRC),
]
