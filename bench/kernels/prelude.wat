  ;; SPDX-License-Identifier: Apache-2.0
  ;; What every kernel in text format shares, put at the start of its module: imports, memory, and
  ;; $report, which prints "bench <nanoseconds> <checksum>" for kernels that C cannot say.
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "bench 00000000000000000000 0000000000000000\0a")
  (func $now (result i64)
    (drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 0)))
    (i64.load (i32.const 0)))
  (func $report (param $time i64) (param $sum i64)
    (local $at i32) (local $digit i32)
    ;; 20 decimal digits, from the last to the first
    (local.set $at (i32.const 89))
    (loop $decimal
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $time) (i64.const 10)))))
      (local.set $time (i64.div_u (local.get $time) (i64.const 10)))
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (br_if $decimal (i32.ge_u (local.get $at) (i32.const 70))))
    ;; 16 hexadecimal digits
    (local.set $at (i32.const 106))
    (loop $hexadecimal
      (local.set $digit (i32.and (i32.wrap_i64 (local.get $sum)) (i32.const 15)))
      (i32.store8 (local.get $at)
        (i32.add (local.get $digit)
          (select (i32.const 48) (i32.const 87) (i32.lt_u (local.get $digit) (i32.const 10)))))
      (local.set $sum (i64.shr_u (local.get $sum) (i64.const 4)))
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (br_if $hexadecimal (i32.ge_u (local.get $at) (i32.const 91))))
    (i32.store (i32.const 16) (i32.const 64))
    (i32.store (i32.const 20) (i32.const 44))
    (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24))))
