/* SPDX-License-Identifier: MIT */
/*
 * stm32.h - the registers that all families share, as RM0008 rev 21, RM0090
 * rev 21, PM0056 and PM0214 name them, and those of the family that the build
 * has chosen (cmake/firmware/families.cmake).
 */
#ifndef PORT_STM32_H
#define PORT_STM32_H

#include "boot.h"

#include <stdint.h>

#define REG32(addr) (*(volatile uint32_t *)(addr))

/* ---- IWDG, RM0008 clause 19.4, RM0090 clause 21.4 ---- */
struct iwdg {
    volatile uint32_t KR, PR, RLR, SR;
};
#define IWDG           ((struct iwdg *)0x40003000u)
#define IWDG_KR_RELOAD 0xAAAAu
#define IWDG_KR_ACCESS 0x5555u
#define IWDG_PR_DIV256 6u

/* ---- USART, RM0008 clause 27.6, RM0090 clause 30.6 (demo only); with other
 * places and names in RM0091 clause 27.8 and RM0376 clause 28.8: SR is ISR
 * there, DR is TDR ---- */
#ifdef __ARM_ARCH_6M__
struct usart {
    volatile uint32_t CR1, CR2, CR3, BRR, GTPR, RTOR, RQR, SR, ICR, RDR, DR;
};
#define USART_CR1_UE (1u << 0)
#else
struct usart {
    volatile uint32_t SR, DR, BRR, CR1;
};
#define USART_CR1_UE (1u << 13)
#endif
#define USART_SR_TC  (1u << 6)
#define USART_SR_TXE (1u << 7)
#define USART_CR1_TE (1u << 3)

/* ---- Cortex-M3 and M4, PM0056 and PM0214 clauses 4.4 and 4.5 ---- */
struct systick {
    volatile uint32_t CTRL, LOAD, VAL;
};
#define SYSTICK                ((struct systick *)0xE000E010u)
#define SYSTICK_CTRL_ENABLE    1u /* from HCLK/8 */
#define SYSTICK_CTRL_TICKINT   (1u << 1)
#define SYSTICK_CTRL_COUNTFLAG (1u << 16)
#define SCB_VTOR               REG32(0xE000ED08u)
#define SCB_AIRCR              REG32(0xE000ED0Cu)
#define SCB_AIRCR_RESET        (0x05FA0000u | 1u << 2) /* SYSRESETREQ */

#if defined(STM32F1)
#include "stm32f1.h"
#elif defined(STM32F0)
#include "stm32f0.h"
#elif defined(STM32F4)
#include "stm32f4.h"
#elif defined(STM32L0)
#include "stm32l0.h"
#else
#error "the family comes from the build"
#endif

/* Where the words of the unique id lie. */
#ifndef UID_WORD
#define UID_WORD(i) (UID_BASE + 4u * (i))
#endif

#endif
