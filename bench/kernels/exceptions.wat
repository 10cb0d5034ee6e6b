  ;; SPDX-License-Identifier: Apache-2.0
  ;; Exceptions: one call in four throws, from one to eight frames below the block that catches it.
  ;; exceptions.c does the same with setjmp and longjmp.
  (tag $failure (param i32))
  (func $descend (param $depth i32) (param $value i32) (result i32)
    (if (i32.eqz (local.get $depth))
      (then
        (if (i32.eqz (i32.and (local.get $value) (i32.const 3)))
          (then (throw $failure (i32.xor (local.get $value) (i32.const 0x55)))))
        (return (local.get $value))))
    (i32.add (i32.const 1)
      (call $descend (i32.sub (local.get $depth) (i32.const 1)) (local.get $value))))
  (func $attempt (param $depth i32) (param $value i32) (result i32)
    (block $caught (result i32)
      (try_table (result i32) (catch $failure $caught)
        (call $descend (local.get $depth) (local.get $value)))
      (return (i32.const 7) (i32.add))))
  (func (export "_start")
    (local $start i64) (local $sum i64) (local $round i32)
    (local.set $start (call $now))
    (loop $rounds
      (local.set $sum
        (i64.mul (i64.const 0x100000001b3)
          (i64.xor (local.get $sum)
            (i64.extend_i32_u
              (call $attempt (i32.add (i32.and (local.get $round) (i32.const 7)) (i32.const 1))
                (i32.shr_u (i32.mul (local.get $round) (i32.const 0x9e3779b1)) (i32.const 7)))))))
      (local.set $round (i32.add (local.get $round) (i32.const 1)))
      (br_if $rounds (i32.lt_u (local.get $round) (i32.const ROUNDS))))
    (call $report (i64.sub (call $now) (local.get $start)) (local.get $sum)))
