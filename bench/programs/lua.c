/* SPDX-License-Identifier: Apache-2.0
 *
 * Lua: one script that uses tables, closures, strings, metatables and numbers. Scripts that
 * fail have no way out here (the C library for WASI has no setjmp): lua_throw.h ends them.
 */
#include "harness.h"

#include "lauxlib.h"
#include "lualib.h"

#include <stdio.h>
#include <stdlib.h>

static const char script[] =
    "local function queens(n)\n"
    "  local rows, count = {}, 0\n"
    "  local function safe(row, column)\n"
    "    for i = 1, column - 1 do\n"
    "      if rows[i] == row or rows[i] - i == row - column or rows[i] + i == row + column then\n"
    "        return false end end\n"
    "    return true end\n"
    "  local function place(column)\n"
    "    if column > n then count = count + 1 return end\n"
    "    for row = 1, n do if safe(row, column) then rows[column] = row place(column + 1) end end\n"
    "  end\n"
    "  place(1) return count end\n"
    "local Point = {} Point.__index = Point\n"
    "Point.__add = function(a, b) return setmetatable({x = a.x + b.x, y = a.y + b.y}, Point) end\n"
    "function Point:norm() return self.x * self.x + self.y * self.y end\n"
    "local function words(n)\n"
    "  local text = {}\n"
    "  for i = 1, n do text[#text + 1] = ('w%d'):format(i * 7919 % 61) end\n"
    "  local counts, order = {}, {}\n"
    "  for word in table.concat(text, ' '):gmatch('%a%d+') do\n"
    "    if not counts[word] then order[#order + 1] = word end\n"
    "    counts[word] = (counts[word] or 0) + 1 end\n"
    "  table.sort(order, function(a, b)\n"
    "    if counts[a] ~= counts[b] then return counts[a] > counts[b] end return a < b end)\n"
    "  local sum = 0\n"
    "  for i, word in ipairs(order) do sum = sum + i * counts[word] + #word end\n"
    "  return sum end\n"
    "local function generate(n)\n"
    "  local i = 0\n"
    "  return function() if i < n then i = i + 1 return i * i % 17 end end end\n"
    "return function(round)\n"
    "  local sum = queens(6) + words(300)\n"
    "  local p = setmetatable({x = 0, y = round}, Point)\n"
    "  for i = 1, 400 do p = p + setmetatable({x = i, y = -1}, Point) end\n"
    "  sum = sum + p:norm()\n"
    "  for value in generate(100) do sum = sum + value end\n"
    "  local f = 1.5\n"
    "  for i = 1, 1000 do f = f * 1.0001 + (i & 3) - i // 5 % 3 end\n"
    "  return (sum + math.floor(f)) & 0xffffffff end\n";

uint64_t lua(uint32_t rounds)
{
    lua_State *state = luaL_newstate();
    if (state == NULL) {
        abort();
    }
    static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},
                                         {LUA_TABLIBNAME, luaopen_table},
                                         {LUA_STRLIBNAME, luaopen_string},
                                         {LUA_MATHLIBNAME, luaopen_math}};
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        luaL_requiref(state, libraries[i].name, libraries[i].func, 1);
        lua_pop(state, 1);
    }
    if (luaL_loadstring(state, script) != LUA_OK) {
        fprintf(stderr, "lua: %s\n", lua_tostring(state, -1));
        abort();
    }
    lua_call(state, 0, 1);
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        lua_pushvalue(state, -1);
        lua_pushinteger(state, (lua_Integer)round);
        lua_call(state, 1, 1);
        sum = mix(sum, (uint64_t)lua_tointeger(state, -1));
        lua_pop(state, 1);
    }
    lua_close(state);
    return sum;
}
