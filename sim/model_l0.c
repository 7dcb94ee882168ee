/* SPDX-License-Identifier: MIT */
/*
 * model_l0.c - STM32L072 as data.  RM0376: memory map 2.2, clock enable and
 * reset bits 7.3, interrupts 12.3, device electronic signature chapter 33,
 * DBGMCU 32.9.  DS10689.
 */
#include "fsdev.h"
#include "models.h"
#include "periph.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Enable bits; the reset registers have the same bit numbers. */
#define IOP(bit_)  .clock = {0x2c, bit_}, .reset = {0x1c, bit_}
#define AHB(bit_)  .clock = {0x30, bit_}, .reset = {0x20, bit_}
#define APB2(bit_) .clock = {0x34, bit_}, .reset = {0x24, bit_}
#define APB1(bit_) .clock = {0x38, bit_}, .reset = {0x28, bit_}
#define AT(base_)  .range = {{base_, 0x400}}

/* 9.4: pins are analog after a reset, but for those of the debug port. */
static const struct gpio_f4_facts port_a = {0xebfffcff, 0x0c000000, 0x24000000,
                                            true};
static const struct gpio_f4_facts port = {0xffffffff, 0, 0, true};

#define GPIO(letter, base_, bit_, facts_)                                      \
    {                                                                          \
        .name = "GPIO" letter, .ops = &gpio_f4_ops, AT(base_), IOP(bit_),      \
        .facts = &(facts_)                                                     \
    }

/* ---- identity ---- */

/* 96 bits: any, but the same at every run.  The third word is not behind the
 * second: 33.2. */
static const uint8_t unique_id[0x18] = {
    0x31, 0x47, 0x36,          0x31, 0x33, 0x37,
    0x1d, 0x03, [0x14] = 0x49, 0x00, 0x2a, 0x00};
static const uint8_t kbytes_192[2] = {0xc0, 0x00};

/* System memory has ST's boot loader on silicon; here it is not there. */
static const struct rom_area roms[] = {
    {0x1ff80050, sizeof(unique_id), unique_id, sizeof(unique_id)},
    {0x1ff8007c, 4, kbytes_192, sizeof(kbytes_192)},
};

/* ---- peripherals ---- */

static const struct flash_l0_facts flash = {0};
static const struct iwdg_facts iwdg = {37000};          /* DS10689 table 45 */
static const struct dbgmcu_facts dbgmcu = {0x20006447}; /* category 5, Z */

/* Not here: pins where TX has another function number. */
static const struct usart_facts usart1 = {CLOCK_APB2, 4, true, {{'A', 9}}};
static const struct usart_facts usart2 = {
    CLOCK_APB1, 4, true, {{'A', 2}, {'A', 14}}};

#define USART(name_, base_, irq_, facts_)                                      \
    .name = name_, .ops = &usart_v2_ops, AT(base_), .irq = {irq_},             \
    .facts = &(facts_)

static const struct device devices[] = {
    {.name = "RCC", .ops = &rcc_l0_ops, AT(0x40021000), .irq = {4}},
    {.name = "FLASH",
     .ops = &flash_l0_ops,
     .range = {{0x40022000, 0x400}, {0x08080000, 6 * 1024}},
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
    {USART("USART1", 0x40013800, 27, usart1), APB2(14)},
    {USART("USART2", 0x40004400, 28, usart2), APB1(17)},
    {.name = "CRC", .ops = &crc_v2_ops, AT(0x40023000), AHB(12)},
    GPIO("A", 0x50000000, 0, port_a),
    GPIO("B", 0x50000400, 1, port),
    GPIO("C", 0x50000800, 2, port),
    GPIO("D", 0x50000c00, 3, port),
    GPIO("E", 0x50001000, 4, port),
    GPIO("H", 0x50001c00, 7, port),
    {.name = "SYSCFG", .ops = &syscfg_l0_ops, AT(0x40010000), APB2(0)},
    {.name = "PWR", .ops = &pwr_l0_ops, AT(0x40007000), APB1(28)},
    {.name = "IWDG", .ops = &iwdg_ops, AT(0x40003000), .facts = &iwdg},
    {.name = "DBGMCU",
     .ops = &dbgmcu_ops,
     AT(0x40015800),
     APB2(22),
     .facts = &dbgmcu},
    {.name = "EXTI", AT(0x40010400)},
    {.name = "RTC", AT(0x40002800)},
    {.name = "DMA1", AT(0x40020000), AHB(0)},
    {.name = "TSC", AT(0x40024000), AHB(16)},
    {.name = "RNG", AT(0x40025000), AHB(20)},
    {.name = "TIM2", AT(0x40000000), APB1(0)},
    {.name = "TIM3", AT(0x40000400), APB1(1)},
    {.name = "TIM6", AT(0x40001000), APB1(4)},
    {.name = "TIM7", AT(0x40001400), APB1(5)},
    {.name = "WWDG", AT(0x40002c00), APB1(11)},
    {.name = "SPI2", AT(0x40003800), APB1(14)},
    {.name = "LPUART1", AT(0x40004800), APB1(18)},
    {.name = "I2C1", AT(0x40005400), APB1(21)},
    {.name = "I2C2", AT(0x40005800), APB1(22)},
    {.name = "I2C3", AT(0x40007800), APB1(30)},
    {.name = "DAC", AT(0x40007400), APB1(29)},
    {.name = "LPTIM1", AT(0x40007c00), APB1(31)},
    {.name = "TIM21", AT(0x40010800), APB2(2)},
    {.name = "TIM22", AT(0x40011400), APB2(5)},
    {.name = "FIREWALL", AT(0x40011c00), APB2(7)},
    {.name = "ADC1", AT(0x40012400), APB2(9)},
    {.name = "SPI1", AT(0x40013000), APB2(12)},
};

/* ---- chip ---- */

const struct chip_model model_stm32l072cz = {
    .name = "stm32l072cz",
    .cpu = CPU_CORTEX_M0P,
    .cpuid = 0x410cc601, /* r0p1 */
    .irqs = 32,
    .priority_bits = 2,
    .tick_calib = 4000, /* 12.1.1: 1 ms when HCLK / 8 is 4 MHz */
    .flash_base = 0x08000000,
    .flash_size = 192 * 1024,
    .flash_erased = 0x00,
    .ram_base = 0x20000000,
    .ram_size = 20 * 1024,
    .data_base = 0x08080000,
    .data_size = 8 * 1024, /* 6, in whole pages of the CPU engine */
    .io_end = 0x50002000,
    .hse_hz = 8000000,
    .roms = roms,
    .n_roms = COUNT(roms),
    .devices = devices,
    .n_devices = COUNT(devices),
    .rcc = "RCC",
    .flash = "FLASH",
    .rcc_ops = &rcc_l0_rcc,
    .gpio_ops = &gpio_f4_gpio,
    .flash_ops = &flash_l0_flash,
};
