/* SPDX-License-Identifier: Apache-2.0
 *
 * Stands for the header that the C library for WASI lacks: programs that include it are given other
 * ways out (lua_throw.h).
 */
