# SPDX-License-Identifier: MIT
set(FAMILY F072)
set(WITHOUT full)
