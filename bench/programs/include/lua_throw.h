/* SPDX-License-Identifier: Apache-2.0
 *
 * Included before every file of Lua: errors end the program, natively as on WebAssembly, and tables
 * are seeded alike in every run.
 */
#ifndef BENCH_LUA_THROW_H
#define BENCH_LUA_THROW_H

#define LUAI_THROW(state, jump) __builtin_trap()
#define LUAI_TRY(state, jump, action) {action}
#define luai_jmpbuf int
#define luai_makeseed(state) 0x5eedU

#endif
