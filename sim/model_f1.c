/* SPDX-License-Identifier: MIT */
/*
 * model_f1.c - STM32F103 and F107 as data.  RM0008: memory map 3.3, clock
 * enable and reset bits 7.3, interrupts 10.1.2, device electronic signature
 * chapter 30, DBGMCU 31.6.1.  DS5792 (xC/D/E), DS5319 (x8/B), DS6014 (F107).
 */
#include "dwc2.h"
#include "fsdev.h"
#include "models.h"
#include "periph.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Enable bits; the reset registers have the same bit numbers. */
#define AHB(bit_)     .clock = {0x14, bit_}
#define AHB_RST(bit_) .clock = {0x14, bit_}, .reset = {0x28, bit_}
#define APB2(bit_)    .clock = {0x18, bit_}, .reset = {0x0c, bit_}
#define APB1(bit_)    .clock = {0x1c, bit_}, .reset = {0x10, bit_}
#define AT(base_)     .range = {{base_, 0x400}}

#define GPIO(letter, base_, bit_)                                              \
    {                                                                          \
        .name = "GPIO" letter, .ops = &gpio_f1_ops, AT(base_), APB2(bit_)      \
    }

/* ---- identity ---- */

/* 96 bits: any, but the same at every run. */
static const uint8_t unique_id[12] = {0x31, 0xff, 0x6a, 0x06, 0x4e, 0x54,
                                      0x38, 0x33, 0x12, 0x25, 0x09, 0x57};
static const uint8_t kbytes_512[2] = {0x00, 0x02};
static const uint8_t kbytes_256[2] = {0x00, 0x01};
static const uint8_t kbytes_64[2] = {0x40, 0x00};

/* System memory has ST's boot loader on silicon; here it is empty. */
#define ROMS(flash_size_)                                                      \
    {                                                                          \
        {0x1ffff7e0, 4, flash_size_, sizeof(flash_size_)},                     \
            {0x1ffff7e8, 12, unique_id, sizeof(unique_id)},                    \
        {                                                                      \
            0x1ffff000, 0x7e0, NULL, 0                                         \
        }                                                                      \
    }

static const struct rom_area roms_ze[] = ROMS(kbytes_512);
static const struct rom_area roms_rc[] = ROMS(kbytes_256);
static const struct rom_area roms_c8[] = ROMS(kbytes_64);
static const struct rom_area roms_107vc[] = ROMS(kbytes_256);

/* Revision Y and revision Y of a medium-density part; revision Z. */
static const struct dbgmcu_facts dbgmcu_ze = {0x10030414};
static const struct dbgmcu_facts dbgmcu_c8 = {0x20030410};
static const struct dbgmcu_facts dbgmcu_107 = {0x10016418};

/* ---- peripherals ---- */

#define FLASH_F1(page_, pages_per_bit_)                                        \
    {                                                                          \
        .page = page_, .pages_per_bit = pages_per_bit_, .wrpr = 0xffffffff,    \
        .program = 52500 * SIM_NS, /* 40 to 70 us */                           \
            .max_latency = 2, .half_cycle = true, .line_bytes = 8              \
    }

static const struct flash_f1_facts flash_ze = FLASH_F1(2048, 2);
static const struct flash_f1_facts flash_c8 = FLASH_F1(1024, 4);
static const struct bkp_facts bkp_ze = {42};
static const struct bkp_facts bkp_c8 = {10};

static const struct rcc_f1_facts rcc_103 = {false, 16, {0x1c, 23}};
static const struct rcc_f1_facts rcc_107 = {true, 18, {0x14, 12}};

static const struct iwdg_facts iwdg = {40000}; /* DS5792 table 26 */

/* Default pin and remapped ones: RM0008 tables 52 to 54. */
static const struct usart_facts usart1 = {
    CLOCK_APB2, 0, false, {{'A', 9}, {'B', 6}}};
static const struct usart_facts usart2 = {
    CLOCK_APB1, 0, false, {{'A', 2}, {'D', 5}}};
static const struct usart_facts usart3 = {
    CLOCK_APB1, 0, false, {{'B', 10}, {'C', 10}, {'D', 8}}};

/* What every part here has. */
#define COMMON(rcc_facts_, flash_facts_, bkp_facts_, dbgmcu_facts_)            \
    {.name = "RCC",                                                            \
     .ops = &rcc_f1_ops,                                                       \
     AT(0x40021000),                                                           \
     .irq = {5},                                                               \
     .facts = &(rcc_facts_)},                                                  \
        {.name = "FLASH",                                                      \
         .ops = &flash_f1_ops,                                                 \
         .range = {{0x40022000, 0x400}, {0x1ffff800, 16}},                     \
         .irq = {4},                                                           \
         .facts = &(flash_facts_)},                                            \
        GPIO("A", 0x40010800, 2), GPIO("B", 0x40010c00, 3),                    \
        GPIO("C", 0x40011000, 4), GPIO("D", 0x40011400, 5),                    \
        GPIO("E", 0x40011800, 6),                                              \
        {.name = "AFIO", .ops = &afio_f1_ops, AT(0x40010000), APB2(0)},        \
        {.name = "USART1",                                                     \
         .ops = &usart_ops,                                                    \
         AT(0x40013800),                                                       \
         APB2(14),                                                             \
         .irq = {37},                                                          \
         .facts = &usart1},                                                    \
        {.name = "USART2",                                                     \
         .ops = &usart_ops,                                                    \
         AT(0x40004400),                                                       \
         APB1(17),                                                             \
         .irq = {38},                                                          \
         .facts = &usart2},                                                    \
        {.name = "USART3",                                                     \
         .ops = &usart_ops,                                                    \
         AT(0x40004800),                                                       \
         APB1(18),                                                             \
         .irq = {39},                                                          \
         .facts = &usart3},                                                    \
        {.name = "IWDG", .ops = &iwdg_ops, AT(0x40003000), .facts = &iwdg},    \
        {.name = "BKP",                                                        \
         .ops = &bkp_ops,                                                      \
         AT(0x40006c00),                                                       \
         APB1(27),                                                             \
         .facts = &(bkp_facts_)},                                              \
        {.name = "PWR", .ops = &pwr_ops, AT(0x40007000), APB1(28)},            \
        {.name = "DBGMCU",                                                     \
         .ops = &dbgmcu_ops,                                                   \
         AT(0xe0042000),                                                       \
         .facts = &(dbgmcu_facts_)},                                           \
        {.name = "EXTI", AT(0x40010400)}, {.name = "RTC", AT(0x40002800)},     \
        {.name = "CRC", .ops = &crc_ops, AT(0x40023000), AHB(6)},              \
        {.name = "DMA1", AT(0x40020000), AHB(0)},                              \
        {.name = "TIM1", AT(0x40012c00), APB2(11)},                            \
        {.name = "TIM2", AT(0x40000000), APB1(0)},                             \
        {.name = "TIM3", AT(0x40000400), APB1(1)},                             \
        {.name = "TIM4", AT(0x40000800), APB1(2)},                             \
        {.name = "ADC1", AT(0x40012400), APB2(9)},                             \
        {.name = "ADC2", AT(0x40012800), APB2(10)},                            \
        {.name = "SPI1", AT(0x40013000), APB2(12)},                            \
        {.name = "SPI2", AT(0x40003800), APB1(14)},                            \
        {.name = "I2C1", AT(0x40005400), APB1(21)},                            \
        {.name = "I2C2", AT(0x40005800), APB1(22)},                            \
        {.name = "WWDG", AT(0x40002c00), APB1(11)},                            \
    {                                                                          \
        .name = "CAN1", AT(0x40006400), APB1(25)                               \
    }

#define FSDEV                                                                  \
    {                                                                          \
        .name = "USB", .ops = &fsdev_ops,                                      \
        .range = {{0x40005c00, 0x400}, {0x40006000, 0x400}}, APB1(23),         \
        .irq = {19, 20, 42}, .facts = &fsdev_facts_f1,                         \
        .wire_ops = &fsdev_wire_ops                                            \
    }

static const struct device devices_ze[] = {
    COMMON(rcc_103, flash_ze, bkp_ze, dbgmcu_ze),
    FSDEV,
    {.name = "DMA2", AT(0x40020400), AHB(1)},
    {.name = "SDIO", AT(0x40018000), AHB(10)},
    {.name = "TIM5", AT(0x40000c00), APB1(3)},
    {.name = "TIM6", AT(0x40001000), APB1(4)},
    {.name = "TIM7", AT(0x40001400), APB1(5)},
    {.name = "TIM8", AT(0x40013400), APB2(13)},
    {.name = "ADC3", AT(0x40013c00), APB2(15)},
    {.name = "SPI3", AT(0x40003c00), APB1(15)},
    {.name = "UART4", AT(0x40004c00), APB1(19)},
    {.name = "UART5", AT(0x40005000), APB1(20)},
    {.name = "DAC", AT(0x40007400), APB1(29)},
    /* what only packages of more than 64 pins have (DS5792 table 2) */
    GPIO("F", 0x40011c00, 7),
    GPIO("G", 0x40012000, 8),
    {.name = "FSMC", AT(0xa0000000), AHB(8)},
};
enum { RC_DEVICES = COUNT(devices_ze) - 3 };

static const struct device devices_c8[] = {
    COMMON(rcc_103, flash_c8, bkp_c8, dbgmcu_c8),
    FSDEV,
};

static const struct usart_facts uart4 = {CLOCK_APB1, 0, false, {{'C', 10}}};
static const struct usart_facts uart5 = {CLOCK_APB1, 0, false, {{'C', 12}}};

static const struct device devices_107vc[] = {
    COMMON(rcc_107, flash_ze, bkp_ze, dbgmcu_107),
    {.name = "OTG_FS",
     .ops = &dwc2_ops,
     .range = {{0x50000000, 0x40000}},
     AHB_RST(12),
     .irq = {67},
     .facts = &dwc2_facts_f107,
     .wire_ops = &dwc2_wire_ops},
    {.name = "UART4",
     .ops = &usart_ops,
     AT(0x40004c00),
     APB1(19),
     .irq = {52},
     .facts = &uart4},
    {.name = "UART5",
     .ops = &usart_ops,
     AT(0x40005000),
     APB1(20),
     .irq = {53},
     .facts = &uart5},
    {.name = "ETH", .range = {{0x40028000, 0x1400}}, AHB_RST(14)},
    {.name = "DMA2", AT(0x40020400), AHB(1)},
    {.name = "TIM5", AT(0x40000c00), APB1(3)},
    {.name = "TIM6", AT(0x40001000), APB1(4)},
    {.name = "TIM7", AT(0x40001400), APB1(5)},
    {.name = "SPI3", AT(0x40003c00), APB1(15)},
    {.name = "CAN2", AT(0x40006800), APB1(26)},
    {.name = "DAC", AT(0x40007400), APB1(29)},
};

/* ---- chips ---- */

#define F1                                                                     \
    .cpu = CPU_CORTEX_M3, .cpuid = 0x411fc231,  /* r1p1 */                     \
        .priority_bits = 4, .tick_calib = 9000, /* PM0056 4.5.4: 9 MHz */      \
        .flash_base = 0x08000000, .flash_erased = 0xff,                        \
    .ram_base = 0x20000000, .rcc = "RCC", .flash = "FLASH",                    \
    .rcc_ops = &rcc_f1_rcc, .gpio_ops = &gpio_f1_gpio,                         \
    .flash_ops = &flash_f1_flash

#define F103 .io_end = 0x40030000, .hse_hz = 8000000

const struct chip_model model_stm32f103ze = {
    F1,
    F103,
    .name = "stm32f103ze",
    .irqs = 60,
    .flash_size = 512 * 1024,
    .ram_size = 64 * 1024,
    .roms = roms_ze,
    .n_roms = COUNT(roms_ze),
    .devices = devices_ze,
    .n_devices = COUNT(devices_ze),
};

const struct chip_model model_stm32f103rc = {
    F1,
    F103,
    .name = "stm32f103rc",
    .irqs = 60,
    .flash_size = 256 * 1024,
    .ram_size = 48 * 1024,
    .roms = roms_rc,
    .n_roms = COUNT(roms_rc),
    .devices = devices_ze,
    .n_devices = RC_DEVICES,
};

const struct chip_model model_stm32f103c8 = {
    F1,
    F103,
    .name = "stm32f103c8",
    .irqs = 43,
    .flash_size = 64 * 1024,
    .ram_size = 20 * 1024,
    .roms = roms_c8,
    .n_roms = COUNT(roms_c8),
    .devices = devices_c8,
    .n_devices = COUNT(devices_c8),
};

const struct chip_model model_stm32f107vc = {
    F1,
    .name = "stm32f107vc",
    .irqs = 68,
    .flash_size = 256 * 1024,
    .ram_size = 64 * 1024,
    .io_end = 0x50040000,
    .hse_hz = 25000000,
    .roms = roms_107vc,
    .n_roms = COUNT(roms_107vc),
    .devices = devices_107vc,
    .n_devices = COUNT(devices_107vc),
};
