/* SPDX-License-Identifier: Apache-2.0
 *
 * QuickJS: one script that uses objects, closures, arrays, maps, strings, regular expressions,
 * exceptions and numbers.
 */
#include "harness.h"

#include "quickjs.h"

#include <stdio.h>
#include <stdlib.h>

static const char script[] =
    "class Shape { constructor(w, h) { this.w = w; this.h = h; } area() { return this.w * this.h; "
    "} }\n"
    "class Square extends Shape { constructor(w) { super(w, w); }\n"
    "  area() { return super.area() + 1; } }\n"
    "function sieve(n) { const flags = new Uint8Array(n); let count = 0;\n"
    "  for (let i = 2; i < n; i++) { if (flags[i]) continue; count++;\n"
    "    for (let j = i + i; j < n; j += i) flags[j] = 1; } return count; }\n"
    "function words(n) { const text = [];\n"
    "  for (let i = 0; i < n; i++) text.push('w' + (i * 7919 % 61));\n"
    "  const counts = new Map();\n"
    "  for (const word of text.join(' ').match(/[a-z]\\d+/g))\n"
    "    counts.set(word, (counts.get(word) || 0) + 1);\n"
    "  const order = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));\n"
    "  return order.reduce((sum, [word, count], i) => sum + count * i + word.length, 0); }\n"
    "function attempts(n) { let caught = 0;\n"
    "  for (let i = 0; i < n; i++) try { if (i % 3 == 0) throw { value: i }; caught += 1; }\n"
    "    catch (error) { caught += error.value & 7; } return caught; }\n"
    "function round(n) { let sum = sieve(1500) + words(200) + attempts(150);\n"
    "  const shapes = [];\n"
    "  for (let i = 0; i < 200; i++) shapes.push(i & 1 ? new Square(i) : new Shape(i, n));\n"
    "  sum += shapes.map(shape => shape.area()).filter(area => area % 3).length;\n"
    "  let f = 1.5; for (let i = 0; i < 800; i++) f = f * 1.0001 + (i & 3) - i % 7;\n"
    "  const copy = JSON.parse(JSON.stringify({ shapes: shapes.slice(0, 20), n }));\n"
    "  return (sum + Math.floor(f) + copy.shapes[7].w) | 0; }\n"
    "round\n";

static void stop(JSContext *context)
{
    JSValue error = JS_GetException(context);
    const char *text = JS_ToCString(context, error);
    fprintf(stderr, "quickjs: %s\n", text != NULL ? text : "error");
    abort();
}

uint64_t quickjs(uint32_t rounds)
{
    JSRuntime *runtime = JS_NewRuntime();
    JSContext *context = runtime == NULL ? NULL : JS_NewContext(runtime);
    if (context == NULL) {
        abort();
    }
    JSValue function = JS_Eval(context, script, sizeof(script) - 1, "script", JS_EVAL_TYPE_GLOBAL);
    if (JS_IsException(function)) {
        stop(context);
    }
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        JSValue argument = JS_NewInt32(context, (int32_t)round);
        JSValue result = JS_Call(context, function, JS_UNDEFINED, 1, &argument);
        int32_t value = 0;
        if (JS_IsException(result) || JS_ToInt32(context, &value, result) != 0) {
            stop(context);
        }
        sum = mix(sum, (uint32_t)value);
        JS_FreeValue(context, result);
    }
    JS_FreeValue(context, function);
    JS_FreeContext(context);
    JS_FreeRuntime(runtime);
    return sum;
}
