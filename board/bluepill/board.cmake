# SPDX-License-Identifier: MIT
set(FAMILY F103)
set(WITHOUT full)
