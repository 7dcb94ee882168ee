# SPDX-License-Identifier: MIT
set(FAMILY F072)
