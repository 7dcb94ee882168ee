# SPDX-License-Identifier: MIT
set(FAMILY F103)
