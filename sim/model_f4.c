/* SPDX-License-Identifier: MIT */
/*
 * model_f4.c - STM32F407, F411 and Geehy's APM32F407 as data.  RM0090: memory
 * map 2.3, clock enable and reset bits 7.3, alternate functions in DS8626 table
 * 9, interrupts 12.1, device electronic signature chapter 39, DBGMCU 38.6.1.
 * F411: RM0383 2.3, 6.3, 10.2, 23.6.1 and 24, DS10314 table 9.
 */
#include "dwc2.h"
#include "models.h"
#include "periph.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Enable bits; the reset registers have the same bit numbers. */
#define AHB1(bit_) .clock = {0x30, bit_}, .reset = {0x10, bit_}
#define AHB2(bit_) .clock = {0x34, bit_}, .reset = {0x14, bit_}
#define AHB3(bit_) .clock = {0x38, bit_}, .reset = {0x18, bit_}
#define APB1(bit_) .clock = {0x40, bit_}, .reset = {0x20, bit_}
#define APB2(bit_) .clock = {0x44, bit_}, .reset = {0x24, bit_}
#define AT(base_)  .range = {{base_, 0x400}}

#define GPIO(letter, base_, bit_, facts_)                                      \
    {                                                                          \
        .name = "GPIO" letter, .ops = &gpio_f4_ops, AT(base_), AHB1(bit_),     \
        .facts = &(facts_)                                                     \
    }

/* ---- identity ---- */

/* 96 bits: any, but the same at every run. */
static const uint8_t unique_id[12] = {0x2a, 0x00, 0x33, 0x00, 0x0c, 0x51,
                                      0x38, 0x33, 0x31, 0x39, 0x36, 0x31};
static const uint8_t kbytes_1024[2] = {0x00, 0x04};
static const uint8_t kbytes_512[2] = {0x00, 0x02};
static const uint8_t option_bytes[16] = {
    0xff, 0xaa, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* USER RDP */
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* nWRP */
};

/* System memory has ST's boot loader on silicon; here it is empty.  So is the
 * OTP area behind it. */
#define ROMS(flash_size_)                                                      \
    {                                                                          \
        {0x1fff7a10, sizeof(unique_id), unique_id, sizeof(unique_id)},         \
            {0x1fff7a22, sizeof(flash_size_), flash_size_,                     \
             sizeof(flash_size_)},                                             \
            {0x1fffc000, sizeof(option_bytes), option_bytes,                   \
             sizeof(option_bytes)},                                            \
            {0x1fff0000, 0x7c00, NULL, 0},                                     \
    }

static const struct rom_area roms_f407[] = ROMS(kbytes_1024);
static const struct rom_area roms_f411[] = ROMS(kbytes_512);

static const struct dbgmcu_facts dbgmcu_f407 = {0x100f6413}; /* revision Y */
static const struct dbgmcu_facts dbgmcu_f411 = {0x10006431}; /* revision A */

/* ---- peripherals ---- */

/* DS8626 table 40; DS10314 6.3.12 */
static const struct flash_f4_facts flash_f407 = {
    .wrp = 0xffff,
    .mhz = {30, 60, 90, 120, 150, 168, 168, 168},
    .erase_ms = {16000, 11000, 8000},
};
static const struct flash_f4_facts flash_f411 = {
    .wrp = 0xffff,
    .mhz = {30, 64, 90, 100, 100, 100, 100, 100},
    .erase_ms = {8000, 5500, 4000},
};

/* DS8626 table 14; DS10314 table 14 */
static const struct rcc_f4_facts rcc_f407 = {
    .pll_mhz = 168,
    .apb1_mhz = 42,
    .apb2_mhz = 84,
    .has = {0x7e7411ff, 0xf1, 0x1, 0, 0x36fec9ff, 0x00075f33},
    .asleep = {0x7e6791ff, 0xf1, 0x1, 0, 0x36fec9ff, 0x00075f33},
    .on = 1u << 20, /* CCM */
};
static const struct rcc_f4_facts rcc_f411 = {
    .pll_mhz = 100,
    .apb1_mhz = 50,
    .apb2_mhz = 100,
    .has = {0x0060109f, 0x80, 0, 0, 0x10e2c80f, 0x00177931},
    .asleep = {0x0061900f, 0x80, 0, 0, 0x10e2c80f, 0x00077930},
};

/* Scale 1 after a reset; F411: scale 2, and 0 is reserved. */
static const struct pwr_f4_facts pwr_f407 = {1, 1, false, {144, 168}};
static const struct pwr_f4_facts pwr_f411 = {2, 2, true, {64, 64, 84, 100}};

static const struct iwdg_facts iwdg = {32000}; /* DS8626 table 35 */

/* SWD and JTAG pins (8.4.1, 8.4.3, 8.4.4). */
static const struct gpio_f4_facts port_a = {0xa8000000, 0x0c000000, 0x64000000};
static const struct gpio_f4_facts port_b = {0x00000280, 0x000000c0, 0x00000100};
static const struct gpio_f4_facts port = {0, 0, 0};

static const struct usart_facts usart1 = {
    CLOCK_APB2, 7, true, {{'A', 9}, {'B', 6}}};
static const struct usart_facts usart2 = {
    CLOCK_APB1, 7, true, {{'A', 2}, {'D', 5}}};
static const struct usart_facts usart3 = {
    CLOCK_APB1, 7, true, {{'B', 10}, {'C', 10}, {'D', 8}}};
static const struct usart_facts uart4 = {
    CLOCK_APB1, 8, true, {{'A', 0}, {'C', 10}}};
static const struct usart_facts uart5 = {CLOCK_APB1, 8, true, {{'C', 12}}};
static const struct usart_facts usart6 = {
    CLOCK_APB2, 8, true, {{'C', 6}, {'G', 14}}};

/* F411 */
static const struct usart_facts usart1_f411 = {
    CLOCK_APB2, 7, true, {{'A', 9}, {'B', 6}, {'A', 15}}};
static const struct usart_facts usart6_f411 = {
    CLOCK_APB2, 8, true, {{'C', 6}, {'A', 11}}};

#define USART(name_, base_, irq_, facts_)                                      \
    .name = name_, .ops = &usart_ops, AT(base_), .irq = {irq_},                \
    .facts = &(facts_)

/* What every part here has. */
#define COMMON(flash_, rcc_, pwr_, dbgmcu_, usart1_, usart6_)                  \
    {.name = "RCC",                                                            \
     .ops = &rcc_f4_ops,                                                       \
     AT(0x40023800),                                                           \
     .irq = {5},                                                               \
     .facts = &(rcc_)},                                                        \
        {.name = "FLASH",                                                      \
         .ops = &flash_f4_ops,                                                 \
         AT(0x40023c00),                                                       \
         .irq = {4},                                                           \
         .facts = &(flash_)},                                                  \
        {.name = "OTG_FS",                                                     \
         .ops = &dwc2_ops,                                                     \
         .range = {{0x50000000, 0x40000}},                                     \
         AHB2(7),                                                              \
         .irq = {67},                                                          \
         .facts = &dwc2_facts_f4,                                              \
         .wire_ops = &dwc2_wire_ops},                                          \
        GPIO("A", 0x40020000, 0, port_a), GPIO("B", 0x40020400, 1, port_b),    \
        GPIO("C", 0x40020800, 2, port), GPIO("D", 0x40020c00, 3, port),        \
        GPIO("E", 0x40021000, 4, port), GPIO("H", 0x40021c00, 7, port),        \
        {.name = "SYSCFG", .ops = &syscfg_f4_ops, AT(0x40013800), APB2(14)},   \
        {USART("USART1", 0x40011000, 37, usart1_), APB2(4)},                   \
        {USART("USART2", 0x40004400, 38, usart2), APB1(17)},                   \
        {USART("USART6", 0x40011400, 71, usart6_), APB2(5)},                   \
        {.name = "IWDG", .ops = &iwdg_ops, AT(0x40003000), .facts = &iwdg},    \
        {.name = "PWR",                                                        \
         .ops = &pwr_f4_ops,                                                   \
         AT(0x40007000),                                                       \
         APB1(28),                                                             \
         .facts = &(pwr_)},                                                    \
        {.name = "RTC", .ops = &rtc_f4_ops, AT(0x40002800)},                   \
        {.name = "CRC", .ops = &crc_ops, AT(0x40023000), AHB1(12)},            \
        {.name = "DBGMCU",                                                     \
         .ops = &dbgmcu_ops,                                                   \
         AT(0xe0042000),                                                       \
         .facts = &(dbgmcu_)},                                                 \
        {.name = "EXTI", AT(0x40013c00)},                                      \
        {.name = "DMA1", AT(0x40026000), AHB1(21)},                            \
        {.name = "DMA2", AT(0x40026400), AHB1(22)},                            \
        {.name = "TIM2", AT(0x40000000), APB1(0)},                             \
        {.name = "TIM3", AT(0x40000400), APB1(1)},                             \
        {.name = "TIM4", AT(0x40000800), APB1(2)},                             \
        {.name = "TIM5", AT(0x40000c00), APB1(3)},                             \
        {.name = "WWDG", AT(0x40002c00), APB1(11)},                            \
        {.name = "I2S2ext", AT(0x40003400), APB1(14)},                         \
        {.name = "SPI2", AT(0x40003800), APB1(14)},                            \
        {.name = "SPI3", AT(0x40003c00), APB1(15)},                            \
        {.name = "I2S3ext", AT(0x40004000), APB1(15)},                         \
        {.name = "I2C1", AT(0x40005400), APB1(21)},                            \
        {.name = "I2C2", AT(0x40005800), APB1(22)},                            \
        {.name = "I2C3", AT(0x40005c00), APB1(23)},                            \
        {.name = "TIM1", AT(0x40010000), APB2(0)},                             \
        {.name = "ADC", AT(0x40012000), APB2(8)},                              \
        {.name = "SDIO", AT(0x40012c00), APB2(11)},                            \
        {.name = "SPI1", AT(0x40013000), APB2(12)},                            \
        {.name = "TIM9", AT(0x40014000), APB2(16)},                            \
        {.name = "TIM10", AT(0x40014400), APB2(17)},                           \
    {                                                                          \
        .name = "TIM11", AT(0x40014800), APB2(18)                              \
    }

static const struct device devices_f407[] = {
    COMMON(flash_f407, rcc_f407, pwr_f407, dbgmcu_f407, usart1, usart6),
    GPIO("F", 0x40021400, 5, port),
    GPIO("G", 0x40021800, 6, port),
    GPIO("I", 0x40022000, 8, port),
    {USART("USART3", 0x40004800, 39, usart3), APB1(18)},
    {USART("UART4", 0x40004c00, 52, uart4), APB1(19)},
    {USART("UART5", 0x40005000, 53, uart5), APB1(20)},
    {.name = "BKPSRAM", .range = {{0x40024000, 0x1000}}, AHB1(18)},
    {.name = "ETH", .range = {{0x40028000, 0x1400}}, AHB1(25)},
    {.name = "OTG_HS", .range = {{0x40040000, 0x40000}}, AHB1(29)},
    {.name = "DCMI", AT(0x50050000), AHB2(0)},
    {.name = "RNG", AT(0x50060800), AHB2(6)},
    {.name = "FSMC", .range = {{0xa0000000, 0x1000}}, AHB3(0)},
    {.name = "TIM6", AT(0x40001000), APB1(4)},
    {.name = "TIM7", AT(0x40001400), APB1(5)},
    {.name = "TIM12", AT(0x40001800), APB1(6)},
    {.name = "TIM13", AT(0x40001c00), APB1(7)},
    {.name = "TIM14", AT(0x40002000), APB1(8)},
    {.name = "CAN1", AT(0x40006400), APB1(25)},
    {.name = "CAN2", AT(0x40006800), APB1(26)},
    {.name = "DAC", AT(0x40007400), APB1(29)},
    {.name = "TIM8", AT(0x40010400), APB2(1)},
};

static const struct device devices_f411[] = {
    COMMON(flash_f411, rcc_f411, pwr_f411, dbgmcu_f411, usart1_f411,
           usart6_f411),
    {.name = "SPI4", AT(0x40013400), APB2(13)},
    {.name = "SPI5", AT(0x40015000), APB2(20)},
};

/* ---- chips ---- */

/* cpuid: r0p1 */
#define F4                                                                     \
    .cpu = CPU_CORTEX_M4F, .cpuid = 0x410fc241, .priority_bits = 4,            \
    .flash_base = 0x08000000, .flash_erased = 0xff, .ram_base = 0x20000000,    \
    .ram_size = 128 * 1024, .rcc = "RCC", .flash = "FLASH",                    \
    .rcc_ops = &rcc_f4_rcc, .gpio_ops = &gpio_f4_gpio,                         \
    .flash_ops = &flash_f4_flash

/* RAM: SRAM1 and SRAM2.  SysTick, 12.1.2: 1 ms when HCLK / 8 is 18.75 MHz. */
#define F407                                                                   \
    .tick_calib = 18750, .flash_size = 1024 * 1024, .ccm_base = 0x10000000,    \
    .ccm_size = 64 * 1024, .io_end = 0x50060c00, .hse_hz = 8000000,            \
    .roms = roms_f407, .n_roms = COUNT(roms_f407), .devices = devices_f407,    \
    .n_devices = COUNT(devices_f407)

const struct chip_model model_stm32f407vg = {
    F4,
    F407,
    .name = "stm32f407vg",
    .irqs = 82,
};

const struct chip_model model_stm32f411ce = {
    F4,
    .name = "stm32f411ce",
    .irqs = 86,
    .tick_calib = 10500, /* RM0383 10.1.2 */
    .flash_size = 512 * 1024,
    .io_end = 0x50040000,
    .hse_hz = 25000000,
    .roms = roms_f411,
    .n_roms = COUNT(roms_f411),
    .devices = devices_f411,
    .n_devices = COUNT(devices_f411),
};

/* Geehy's registers are those of the F407 by other names; its SDK
 * (APM32F4xx_SDK c80908ab: apm32f407xx.h, system_apm32f4xx.c) has more
 * interrupts, and the same clock tree, wait states, regulator scales and USB
 * block.  Not confirmed: DBGMCU_IDCODE, the ids of the USB block, times and
 * limits of its data sheet. */
const struct chip_model model_apm32f407ig = {
    F4,
    F407,
    .name = "apm32f407ig",
    .irqs = 85,
};
