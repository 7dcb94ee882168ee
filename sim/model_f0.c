/* SPDX-License-Identifier: MIT */
/*
 * model_f0.c - STM32F072 as data.  RM0091: memory map 2.2, clock enable and
 * reset bits 6.4, interrupts 11.1.3, device electronic signature chapter 33,
 * DBGMCU 32.4; alternate functions in DS9826 tables 14 and 15.
 */
#include "fsdev.h"
#include "models.h"
#include "periph.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Enable bits; the reset registers have the same bit numbers. */
#define AHB(bit_)  .clock = {0x14, bit_}, .reset = {0x28, bit_}
#define APB2(bit_) .clock = {0x18, bit_}, .reset = {0x0c, bit_}
#define APB1(bit_) .clock = {0x1c, bit_}, .reset = {0x10, bit_}
#define AT(base_)  .range = {{base_, 0x400}}

#define GPIO(letter, base_, bit_, facts_)                                      \
    {                                                                          \
        .name = "GPIO" letter, .ops = &gpio_f4_ops, AT(base_), AHB(bit_),      \
        .facts = &(facts_)                                                     \
    }

/* ---- identity ---- */

/* 96 bits: any, but the same at every run. */
static const uint8_t unique_id[12] = {0x36, 0x00, 0x2d, 0x00, 0x0a, 0x43,
                                      0x53, 0x54, 0x4b, 0x34, 0x32, 0x20};
static const uint8_t kbytes_128[2] = {0x80, 0x00};

/* System memory has ST's boot loader on silicon; here it is empty. */
static const struct rom_area roms[] = {
    {0x1ffff7ac, sizeof(unique_id), unique_id, sizeof(unique_id)},
    {0x1ffff7cc, 4, kbytes_128, sizeof(kbytes_128)},
    {0x1fffc800, 0x2fac, NULL, 0},
};

static const struct dbgmcu_facts dbgmcu = {0x20016448};

/* ---- peripherals ---- */

static const struct flash_f1_facts flash = {
    .page = 2048,
    .pages_per_bit = 2,
    .wrpr = 0xffffffff,
    .program = 53500 * SIM_NS, /* DS9826 table 47: 40 to 60 us */
    .max_latency = 1,
    .line_bytes = 4,
};
static const struct iwdg_facts iwdg = {40000}; /* DS9826 table 43 */
static const struct syscfg_f4_facts syscfg = {8, false};
static const struct rtc_f4_facts rtc = {5};

/* SWD pins (8.4.1, 8.4.3, 8.4.4). */
static const struct gpio_f4_facts port_a = {0x28000000, 0x0c000000, 0x24000000,
                                            true};
static const struct gpio_f4_facts port = {0, 0, 0, true};

/* Not here: pins where TX has another function number (PB6, PC10). */
static const struct usart_facts usart1 = {CLOCK_APB2, 1, true, {{'A', 9}}};
static const struct usart_facts usart2 = {
    CLOCK_APB1, 1, true, {{'A', 2}, {'A', 14}}};
static const struct usart_facts usart3 = {CLOCK_APB1, 4, true, {{'B', 10}}};
static const struct usart_facts usart4 = {CLOCK_APB1, 4, true, {{'A', 0}}};

#define USART(name_, base_, irq_, facts_)                                      \
    .name = name_, .ops = &usart_v2_ops, AT(base_), .irq = {irq_},             \
    .facts = &(facts_)

static const struct device devices[] = {
    {.name = "RCC", .ops = &rcc_f0_ops, AT(0x40021000), .irq = {4}},
    {.name = "FLASH",
     .ops = &flash_f1_ops,
     .range = {{0x40022000, 0x400}, {0x1ffff800, 16}},
     .irq = {3},
     .facts = &flash},
    {.name = "USB",
     .ops = &fsdev_ops,
     .range = {{0x40005c00, 0x400}, {0x40006000, 0x400}},
     APB1(23),
     .irq = {31, 31, 31},
     .facts = &fsdev_facts_v2,
     .wire_ops = &fsdev_wire_ops},
    {.name = "CRS", .ops = &crs_ops, AT(0x40006c00), APB1(27), .irq = {4}},
    GPIO("A", 0x48000000, 17, port_a),
    GPIO("B", 0x48000400, 18, port),
    GPIO("C", 0x48000800, 19, port),
    GPIO("D", 0x48000c00, 20, port),
    GPIO("E", 0x48001000, 21, port),
    GPIO("F", 0x48001400, 22, port),
    {.name = "SYSCFG",
     .ops = &syscfg_f4_ops,
     AT(0x40010000),
     APB2(0),
     .facts = &syscfg},
    {USART("USART1", 0x40013800, 27, usart1), APB2(14)},
    {USART("USART2", 0x40004400, 28, usart2), APB1(17)},
    {USART("USART3", 0x40004800, 29, usart3), APB1(18)},
    {USART("USART4", 0x40004c00, 29, usart4), APB1(19)},
    {.name = "IWDG", .ops = &iwdg_ops, AT(0x40003000), .facts = &iwdg},
    {.name = "PWR", .ops = &pwr_ops, AT(0x40007000), APB1(28)},
    {.name = "RTC", .ops = &rtc_f4_ops, AT(0x40002800), .facts = &rtc},
    {.name = "CRC", .ops = &crc_v2_ops, AT(0x40023000), AHB(6)},
    {.name = "DBGMCU",
     .ops = &dbgmcu_ops,
     AT(0x40015800),
     APB2(22),
     .facts = &dbgmcu},
    {.name = "EXTI", AT(0x40010400)},
    {.name = "DMA1", AT(0x40020000), AHB(0)},
    {.name = "TSC", AT(0x40024000), AHB(24)},
    {.name = "TIM2", AT(0x40000000), APB1(0)},
    {.name = "TIM3", AT(0x40000400), APB1(1)},
    {.name = "TIM6", AT(0x40001000), APB1(4)},
    {.name = "TIM7", AT(0x40001400), APB1(5)},
    {.name = "TIM14", AT(0x40002000), APB1(8)},
    {.name = "WWDG", AT(0x40002c00), APB1(11)},
    {.name = "SPI2", AT(0x40003800), APB1(14)},
    {.name = "I2C1", AT(0x40005400), APB1(21)},
    {.name = "I2C2", AT(0x40005800), APB1(22)},
    {.name = "CAN", AT(0x40006400), APB1(25)},
    {.name = "DAC", AT(0x40007400), APB1(29)},
    {.name = "CEC", AT(0x40007800), APB1(30)},
    {.name = "ADC", AT(0x40012400), APB2(9)},
    {.name = "TIM1", AT(0x40012c00), APB2(11)},
    {.name = "SPI1", AT(0x40013000), APB2(12)},
    {.name = "TIM15", AT(0x40014000), APB2(16)},
    {.name = "TIM16", AT(0x40014400), APB2(17)},
    {.name = "TIM17", AT(0x40014800), APB2(18)},
};

/* ---- chip ---- */

const struct chip_model model_stm32f072rb = {
    .name = "stm32f072rb",
    .cpu = CPU_CORTEX_M0,
    .cpuid = 0x410cc200, /* r0p0 */
    .irqs = 32,
    .priority_bits = 2,
    .tick_calib = 6000, /* 11.1.1: 1 ms when HCLK / 8 is 6 MHz */
    .flash_base = 0x08000000,
    .flash_size = 128 * 1024,
    .flash_erased = 0xff,
    .ram_base = 0x20000000,
    .ram_size = 16 * 1024,
    .io_end = 0x48001800,
    .hse_hz = 8000000,
    .roms = roms,
    .n_roms = COUNT(roms),
    .devices = devices,
    .n_devices = COUNT(devices),
    .rcc = "RCC",
    .flash = "FLASH",
    .rcc_ops = &rcc_f0_rcc,
    .gpio_ops = &gpio_f4_gpio,
    .flash_ops = &flash_f1_flash,
};
