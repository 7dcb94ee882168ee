# SPDX-License-Identifier: MIT
set(FAMILY L072)
set(WITHOUT full)
