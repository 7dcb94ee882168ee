/* SPDX-License-Identifier: MIT */
/*
 * test_chip_f0.c - what the virtual STM32F072 has of its own: the Cortex-M0,
 * memory at address 0, clocks with HSI48 and CRS, packet memory, the second
 * generations of USART and CRC.  What it shares is in test_chip.c,
 * test_chip_f4.c (ports) and test_chip_flash.c.
 */
#define THUMB_V6M

#include "chip_bench.h"

#include "host.h"
#include "model.h"
#include "thumb.h"

#define RCC    0x40021000u
#define CR     (RCC + 0x00)
#define CFGR   (RCC + 0x04)
#define AHBEN  (RCC + 0x14)
#define APB2EN (RCC + 0x18)
#define APB1EN (RCC + 0x1c)
#define CFGR3  (RCC + 0x30)
#define CR2    (RCC + 0x34)
#define ACR    0x40022000u
#define FKEYR  0x40022004u
#define FSR    0x4002200cu
#define FCR    0x40022010u
#define CRC    0x40023000u
#define CRS    0x40006c00u
#define USB    0x40005c00u
#define PMA    0x40006000u
#define BCDR   (USB + 0x58)
#define GPIOA  0x48000000u
#define GPIOC  0x48000800u
#define SYSCFG 0x40010000u
#define USART1 0x40013800u
#define DBGMCU 0x40015800u
#define ICSR   0xe000ed04u
#define VTOR   0xe000ed08u
#define CCR    0xe000ed14u
#define SHPR3  0xe000ed20u
#define CFSR   0xe000ed28u
#define DWT    0xe0001000u

#define HSI48     (1u << 16)
#define HSI48RDY  (1u << 17)
#define STACK_TOP (RAM + 0x4000)
#define PAST      (CODE + 0x800) /* code behind what may fault */

static int set_up(void **state)
{
    return bench_new(state, "STM32F072RB", sim_board_find("stm32f072"));
}

static struct code begin(struct bench *b)
{
    struct code k = program(b->c);

    word(b->c, FLASH, STACK_TOP);
    return k;
}

/* ---- the core ---- */

static void identity_can_be_read(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    store(&k, APB2EN, 1u << 22);
    copy(&k, 0x1ffff7cc, RAM);
    copy(&k, 0x1ffff7ac, RAM + 4);
    copy(&k, DBGMCU, RAM + 8);
    copy(&k, 0xe000ed00, RAM + 12);
    copy(&k, 0xe000e01c, RAM + 16); /* SYST_CALIB */
    copy(&k, CCR, RAM + 20);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM) & 0xffff, 128);
    assert_int_not_equal(peek(b->c, RAM + 4), 0xffffffff);
    assert_int_equal(peek(b->c, RAM + 8) & 0xfff, 0x448);
    assert_int_equal(peek(b->c, RAM + 12), 0x410cc200);
    assert_int_equal(peek(b->c, RAM + 16) & 0xffffff, 6000);
    assert_int_equal(peek(b->c, RAM + 20), 0x208);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* One instruction, then a store that must not be reached. */
static void faults(struct bench *b, unsigned first, unsigned second,
                   const char *why)
{
    struct code k = begin(b);

    store(&k, RAM, 0);
    mov(&k, 0, RAM + 0x102);
    mov(&k, 3, RAM + 0x101);
    op(&k, first);
    if (second)
        op(&k, second);
    store(&k, RAM, 1);
    spin(&k);
    chip_power(b->c, false);
    chip_flash_changed(b->c);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0);
    assert_non_null(strstr(b->last[EV_GUEST_ERROR], why));
}

static void unaligned_access_faults(void **state)
{
    static const char why[] = "hard fault: access at an unaligned address";
    struct bench *b = *state;

    faults(b, 0x6802, 0, why); /* ldr r2, [r0] at 2 */
    faults(b, 0x6002, 0, why); /* str */
    faults(b, 0x881a, 0, why); /* ldrh r2, [r3] at 1 */
    faults(b, 0x801a, 0, why); /* strh */
    faults(b, 0xc804, 0, why); /* ldmia r0!, {r2} */
    faults(b, 0xc004, 0, why); /* stmia */
}

static void thumb_2_faults(void **state)
{
    static const char why[] = "hard fault: undefined instruction";
    struct bench *b = *state;

    faults(b, 0xb102, 0, why);      /* cbz r2, . + 4 */
    faults(b, 0xb902, 0, why);      /* cbnz */
    faults(b, 0xbf08, 0xbf00, why); /* it eq; nop */
    faults(b, 0xf240, 0x0201, why); /* movw r2, #1 */
    faults(b, 0xfbb2, 0xf2f3, why); /* udiv r2, r2, r3 */
    faults(b, 0xf8d0, 0x2002, why); /* ldr.w r2, [r0, #2] */
    faults(b, 0xf000, 0xb800, why); /* b.w */
    faults(b, 0xfa92, 0xf2a2, why); /* rbit r2, r2 */
    faults(b, 0xe8d0, 0x2f00, why); /* ldrex-like */
    faults(b, 0xb661, 0, why);      /* cpsie f */
}

/* BL, MRS, MSR and barriers are all of 32 bits that it has. */
static void what_it_has_runs(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    op(&k, 0xb672);                 /* cpsid i */
    op(&k, 0xf3ef), op(&k, 0x8210); /* mrs r2, primask */
    save(&k, RAM);
    op(&k, 0xb662);                 /* cpsie i */
    op(&k, 0x2200);                 /* movs r2, #0 */
    op(&k, 0xf382), op(&k, 0x8810); /* msr primask, r2 */
    op(&k, 0xf3bf), op(&k, 0x8f4f); /* dsb */
    op(&k, 0xf3bf), op(&k, 0x8f5f); /* dmb */
    op(&k, 0xf3bf), op(&k, 0x8f6f); /* isb */
    op(&k, 0xbf00);                 /* nop */
    op(&k, 0xf000), op(&k, 0xf800); /* bl . + 4 */
    store(&k, RAM + 4, 7);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 1);
    assert_int_equal(peek(b->c, RAM + 4), 7);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* There are hard faults only, no registers that say why, no cycle counter, and
 * those of priorities are words. */
static void registers_of_armv7m_are_missing(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    store(&k, SHPR3, 0xffffffff);
    copy(&k, SHPR3, RAM);
    store(&k, CFSR, 0xffffffff);
    copy(&k, CFSR, RAM + 4);
    store(&k, DWT, 1);
    copy(&k, DWT, RAM + 8);
    store(&k, CCR, 0);
    copy(&k, CCR, RAM + 12);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0xc0c00000);
    assert_int_equal(peek(b->c, RAM + 4), 0);
    assert_int_equal(peek(b->c, RAM + 8), 0);
    assert_int_equal(peek(b->c, RAM + 12), 0x208);
    assert_int_equal(chip_guest_errors(b->c), 0);
    k = begin(b);
    mov(&k, 0, SHPR3 + 3);
    op(&k, 0x7002); /* strb r2, [r0] */
    spin(&k);
    chip_power(b->c, false);
    start(b, SIM_MS);
    expect_error(b, 1, "core register 0xe000ed23 takes words only");
}

/* A taken branch is 3 cycles, an untaken one 1, a load or store 2, BL 4: by
 * SysTick at 8 MHz without wait states. */
static void instructions_take_their_cycles(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    store(&k, 0xe000e014, 0xffffff);
    store(&k, 0xe000e018, 0);
    store(&k, 0xe000e010, 5);
    mov(&k, 0, 0xe000e018);
    mov(&k, 3, RAM);
    op(&k, 0xbf00);
    op(&k, 0x6801);                 /* ldr r1, [r0] */
    op(&k, 0xbf00);                 /* 1 */
    op(&k, 0xe000);                 /* b . + 4: 3 */
    op(&k, 0xbf00);                 /* not executed */
    op(&k, 0x601a);                 /* str r2, [r3]: 2 */
    op(&k, 0xf000), op(&k, 0xf801); /* bl . + 6: 4 */
    op(&k, 0xbf00);                 /* not executed */
    op(&k, 0xf3bf), op(&k, 0x8f4f); /* dsb: 4 */
    op(&k, 0x6802);                 /* ldr r2, [r0]: 2 */
    op(&k, 0x1a8a);                 /* subs r2, r1, r2 */
    save(&k, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 1 + 3 + 2 + 4 + 4 + 2);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* ---- address 0 ---- */

/* Without VTOR, an application's interrupts go where address 0 says. */
static void vectors_stay_at_0(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    counting_handler(b->c, FLASH + 0x1000, RAM + 0x300);
    counting_handler(b->c, FLASH + 0x1100, RAM + 0x304);
    vector(b->c, 14, FLASH + 0x1000);
    word(b->c, FLASH + 0x2000 + 4 * 14, (FLASH + 0x1100) | 1);
    store(&k, RAM + 0x300, 0);
    store(&k, RAM + 0x304, 0);
    store(&k, VTOR, FLASH + 0x2000);
    copy(&k, VTOR, RAM + 0x308);
    store(&k, ICSR, 1u << 28); /* PendSV: still the first table */
    store(&k, RAM + 4 * 14, (FLASH + 0x1100) | 1);
    store(&k, APB2EN, 1);
    store(&k, SYSCFG, 3);
    copy(&k, 4 * 14, RAM + 0x30c); /* RAM is at 0 now */
    store(&k, ICSR, 1u << 28);
    store(&k, RAM + 4 * 14, (FLASH + 0x1000) | 1);
    store(&k, 4 * 14, (FLASH + 0x1100) | 1); /* by its other address */
    store(&k, ICSR, 1u << 28);
    store(&k, SYSCFG, 0);
    store(&k, ICSR, 1u << 28); /* flash again */
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM + 0x300), 2);
    assert_int_equal(peek(b->c, RAM + 0x304), 2);
    assert_int_equal(peek(b->c, RAM + 0x308), 0);
    assert_int_equal(peek(b->c, RAM + 0x30c), (FLASH + 0x1100) | 1);
    assert_non_null(strstr(b->last[EV_CORE], "a Cortex-M0 has none"));
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* A snapshot brings back what lies there, a reset brings back the flash. */
static void remap_is_state(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);
    struct chip_snapshot *s;

    store(&k, RAM + 0x40, 0x11223344);
    store(&k, APB2EN, 1);
    store(&k, SYSCFG, 3);
    wfi(&k);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, 0x40), 0x11223344);
    s = chip_save(b->c);
    chip_reset(b->c, RESET_PIN);
    assert_int_equal(peek(b->c, 0x40), peek(b->c, FLASH + 0x40));
    assert_int_equal(peek(b->c, 0), STACK_TOP);
    chip_restore(b->c, s);
    assert_int_equal(peek(b->c, 0x40), 0x11223344);
    chip_snapshot_free(s);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* ---- clocks ---- */

static void to_48_mhz(struct code *k)
{
    store(k, CR2, HSI48);
    wait_set(k, CR2, HSI48RDY);
    store(k, ACR, 0x11);
    store(k, CFGR, 3);
    wait_set(k, CFGR, 3 << 2);
}

static void hsi48_runs_the_system(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    to_48_mhz(&k);
    store(&k, CR2, 0); /* in use */
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_AHB), 48000000);
    expect_error(b, 1, "RCC_CR2 switches off a clock that the system runs on");
}

static void more_than_24_mhz_needs_a_wait_state(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    store(&k, CR2, HSI48);
    wait_set(&k, CR2, HSI48RDY);
    store(&k, CFGR, 3);
    spin(&k);
    start(b, SIM_MS);
    expect_error(b, 1, "too few flash wait states");
}

static void there_is_one_wait_state_at_most(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    store(&k, ACR, 0x12);
    spin(&k);
    start(b, SIM_MS);
    expect_error(b, 1, "FLASH_ACR.LATENCY above 1 is reserved");
}

/* A board without a crystal. */
static void hse_never_starts(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    store(&k, CR, 1u << 16 | 0x83);
    copy(&k, CR, RAM);
    spin(&k);
    start(b, 10 * SIM_MS);
    assert_int_equal(peek(b->c, RAM) >> 17 & 1, 0);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* ---- USB and CRS ---- */

#define CRS_ON    (1u << 27)
#define USB_ON    (1u << 23)
#define AUTOTRIM  (3u << 5)
#define TRIM(reg) ((reg) >> 8 & 63)

/* Out of reset, with the pull-up or without. */
static void usb_up(struct code *k, uint32_t dppu)
{
    unsigned i;

    store16(k, USB + 0x40, 1); /* CNTR: FRES without PDWN */
    for (i = 0; i < 8; i++)    /* tSTARTUP */
        load(k, CR);
    store16(k, USB + 0x40, 0);
    store16(k, BCDR, dppu);
    store16(k, USB + 0x44, 0);
    store16(k, USB + 0x4c, 0x80);
}

static void usb_wants_a_clock(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    store(&k, APB1EN, USB_ON);
    usb_up(&k, 0x8000);
    spin(&k);
    start(b, SIM_MS);
    assert_non_null(strstr(b->last[EV_GUEST_ERROR], "without a 48 MHz clock"));
}

static void usb_wants_crs(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    to_48_mhz(&k);
    store(&k, APB1EN, USB_ON);
    usb_up(&k, 0x8000);
    spin(&k);
    start(b, SIM_MS);
    expect_error(b, 1, "nor from an HSI48 that CRS trims by USB");
}

static void only_dppu_attaches(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    to_48_mhz(&k);
    store(&k, APB1EN, USB_ON | CRS_ON);
    store(&k, CRS, 0x2000 | AUTOTRIM);
    usb_up(&k, 0);
    spin(&k);
    start(b, 5 * SIM_MS);
    assert_false(wire_attached(chip_wire(b->c)));
    k = begin(b);
    to_48_mhz(&k);
    store(&k, APB1EN, USB_ON | CRS_ON);
    store(&k, CRS, 0x2000 | AUTOTRIM);
    usb_up(&k, 0x8000);
    spin(&k);
    chip_power(b->c, false);
    start(b, 5 * SIM_MS);
    assert_true(wire_attached(chip_wire(b->c)));
    assert_string_equal(b->last[EV_GUEST_ERROR], "");
}

/* SOFs take TRIM from its middle to where HSI48 is right, and say so. */
static void sofs_trim_hsi48(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);
    uint32_t isr, again;

    to_48_mhz(&k);
    store(&k, APB1EN, USB_ON | CRS_ON);
    copy(&k, CRS + 4, RAM + 8);
    store(&k, CRS, 0x2000 | AUTOTRIM);
    usb_up(&k, 0x8000);
    again = k.at;
    copy(&k, CRS, RAM);
    copy(&k, CRS + 8, RAM + 4);
    jump(&k, again);
    start(b, 5 * SIM_MS);
    assert_int_equal(peek(b->c, RAM + 8), 0x2022bb7f);
    assert_int_equal(TRIM(peek(b->c, RAM)), 32);
    chip_usb_sof(b->c); /* the first one starts the counter */
    run_for(b, SIM_MS);
    chip_usb_sof(b->c);
    run_for(b, SIM_MS / 2);
    assert_int_equal(TRIM(peek(b->c, RAM)), 30); /* far off: two steps */
    isr = peek(b->c, RAM + 4);
    assert_int_equal(isr & 3, 2);         /* SYNCWARN */
    assert_int_equal(isr >> 15 & 1, 0);   /* too fast */
    assert_in_range(isr >> 16, 400, 460); /* 0.9 % of 48,000 */
    run_for(b, SIM_MS / 2);
    for (unsigned i = 0; i < 20; i++) {
        chip_usb_sof(b->c);
        run_for(b, SIM_MS);
    }
    assert_int_equal(TRIM(peek(b->c, RAM)), 26);
    isr = peek(b->c, RAM + 4);
    assert_in_range(isr >> 16, 0, 34);
    assert_int_equal(isr & 1, 1); /* SYNCOK */
    assert_int_equal(isr >> 9 & 1, 0);
    run_for(b, 5 * SIM_MS);                            /* no more of them */
    assert_int_equal(peek(b->c, RAM + 4) >> 9 & 1, 1); /* SYNCMISS */
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void crs_is_set_up_while_off(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    store(&k, APB1EN, CRS_ON);
    store(&k, CRS, AUTOTRIM);
    store(&k, CRS + 4, 0x2022bb7f);
    spin(&k);
    start(b, SIM_MS);
    expect_error(b, 1, "CRS_CFGR written while CRS_CR.CEN is set");
}

/* 1 KB, a half-word for each half-word: no holes, no words. */
static void packet_memory_is_contiguous(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    store(&k, APB1EN, USB_ON);
    store16(&k, PMA, 0x1122);
    store16(&k, PMA + 2, 0x3344);
    store16(&k, PMA + 0x3fe, 0x5566);
    mov(&k, 0, PMA);
    op(&k, 0x8802); /* ldrh r2, [r0] */
    save(&k, RAM);
    mov(&k, 0, PMA + 2);
    op(&k, 0x8802);
    save(&k, RAM + 4);
    mov(&k, 0, PMA + 0x3fe);
    op(&k, 0x8802);
    save(&k, RAM + 8);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0x1122);
    assert_int_equal(peek(b->c, RAM + 4), 0x3344);
    assert_int_equal(peek(b->c, RAM + 8), 0x5566);
    assert_int_equal(chip_guest_errors(b->c), 0);
    k = begin(b);
    store(&k, APB1EN, USB_ON);
    store(&k, PMA, 0x11223344);
    spin(&k);
    chip_power(b->c, false);
    start(b, SIM_MS);
    expect_error(b, 1, "32-bit access to the USB packet memory");
}

/* ---- the rest ---- */

static void ports_have_brr(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    store(&k, AHBEN, 0x14 | 1u << 19);
    store(&k, GPIOC, 1u << 12); /* PC6 */
    store(&k, GPIOC + 0x18, 1u << 6);
    copy(&k, GPIOC + 0x14, RAM);
    store(&k, GPIOC + 0x28, 1u << 6);
    copy(&k, GPIOC + 0x14, RAM + 4);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 1u << 6);
    assert_int_equal(peek(b->c, RAM + 4), 0);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void ports_need_their_clock(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    store(&k, GPIOC, 1u << 12);
    spin(&k);
    start(b, SIM_MS);
    expect_error(b, 1, "GPIOC written while its clock is off");
}

/* zlib's CRC of "1234" and of "12345" is 0x9be3e0a3 and 0xcbf53a1c. */
static void crc_mirrors(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    store(&k, AHBEN, 0x14 | 1u << 6);
    store(&k, CRC + 8, 1u << 7 | 3u << 5 | 1);
    store(&k, CRC, 0x34333231);
    copy(&k, CRC, RAM);
    store(&k, CRC + 8, 1u << 7 | 1u << 5); /* by bytes */
    mov(&k, 0, CRC);
    op(&k, 0x2235); /* movs r2, #'5' */
    op(&k, 0x7002); /* strb r2, [r0] */
    copy(&k, CRC, RAM + 4);
    store(&k, CRC + 0x10, 0);
    store(&k, CRC + 8, 1);
    copy(&k, CRC, RAM + 8);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(~peek(b->c, RAM), 0x9be3e0a3);
    assert_int_equal(~peek(b->c, RAM + 4), 0xcbf53a1c);
    assert_int_equal(peek(b->c, RAM + 8), 0);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void usart_sends(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    store(&k, AHBEN, 0x14 | 1u << 17);
    store(&k, APB2EN, 1u << 14);
    store(&k, GPIOA, 0x28000000 | 2u << 18); /* PA9 */
    store(&k, GPIOA + 0x24, 1u << 4);
    store(&k, USART1 + 0x0c, 69); /* 115,200 from 8 MHz */
    store(&k, USART1, 1u << 3 | 1);
    store(&k, USART1 + 0x28, 'o');
    wait_set(&k, USART1 + 0x1c, 1u << 7);
    store(&k, USART1 + 0x28, 'k');
    wait_set(&k, USART1 + 0x1c, 1u << 6);
    store(&k, USART1 + 0x0c, 70); /* not while UE is set */
    store(&k, USART1, 1u << 3 | 1u << 2 | 1);
    copy(&k, USART1 + 0x1c, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_string_equal(chip_usart_text(b->c), "ok");
    assert_int_equal(peek(b->c, RAM) >> 21 & 3, 3); /* TEACK, REACK */
    expect_error(b, 1, "USART1_BRR changed while UE is set");
}

/* The controller is F1's; what it refuses is in test_chip_flash.c. */
static void flash_takes_half_words(void **state)
{
    struct bench *b = *state;
    struct code k = begin(b);

    store(&k, FKEYR, 0x45670123);
    store(&k, FKEYR, 0xcdef89ab);
    store(&k, FCR, 1);
    store16(&k, FLASH + 0x8000, 0x1234);
    wait_clear(&k, FSR, 1);
    store16(&k, FLASH + 0x8000, 0x1230);
    copy(&k, FSR, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, FLASH + 0x8000) & 0xffff, 0x1234);
    assert_int_equal(peek(b->c, RAM) >> 2 & 1, 1); /* PGERR */
    expect_error(b, 1, "is not erased: PGERR");
    assert_int_equal(chip_flash_page(b->c, FLASH), 2048);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, bench_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(identity_can_be_read),
        TEST(unaligned_access_faults),
        TEST(thumb_2_faults),
        TEST(what_it_has_runs),
        TEST(registers_of_armv7m_are_missing),
        TEST(instructions_take_their_cycles),
        TEST(vectors_stay_at_0),
        TEST(remap_is_state),
        TEST(hsi48_runs_the_system),
        TEST(more_than_24_mhz_needs_a_wait_state),
        TEST(there_is_one_wait_state_at_most),
        TEST(hse_never_starts),
        TEST(usb_wants_a_clock),
        TEST(usb_wants_crs),
        TEST(only_dppu_attaches),
        TEST(sofs_trim_hsi48),
        TEST(crs_is_set_up_while_off),
        TEST(packet_memory_is_contiguous),
        TEST(ports_have_brr),
        TEST(ports_need_their_clock),
        TEST(crc_mirrors),
        TEST(usart_sends),
        TEST(flash_takes_half_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
