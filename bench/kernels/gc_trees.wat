  ;; SPDX-License-Identifier: Apache-2.0
  ;; Allocation: binary trees of structs are made and walked, most die young, one lives long.
  ;; gc_trees.c does the same with malloc and free.
  (rec (type $tree (struct (field $left (ref null $tree)) (field $right (ref null $tree))
                           (field $value i32))))
  (func $make (param $depth i32) (param $value i32) (result (ref null $tree))
    (if (result (ref null $tree)) (i32.eqz (local.get $depth))
      (then (struct.new $tree (ref.null $tree) (ref.null $tree) (local.get $value)))
      (else
        (struct.new $tree
          (call $make (i32.sub (local.get $depth) (i32.const 1))
                      (i32.shl (local.get $value) (i32.const 1)))
          (call $make (i32.sub (local.get $depth) (i32.const 1))
                      (i32.or (i32.shl (local.get $value) (i32.const 1)) (i32.const 1)))
          (local.get $value)))))
  (func $walk (param $tree (ref null $tree)) (result i32)
    (if (result i32) (ref.is_null (local.get $tree))
      (then (i32.const 1))
      (else
        (i32.add
          (i32.mul (call $walk (struct.get $tree $left (local.get $tree))) (i32.const 31))
          (i32.xor (call $walk (struct.get $tree $right (local.get $tree)))
                   (struct.get $tree $value (local.get $tree)))))))
  (func (export "_start")
    (local $start i64) (local $sum i64) (local $round i32) (local $kept (ref null $tree))
    (local.set $start (call $now))
    (local.set $kept (call $make (i32.const 12) (i32.const 1)))
    (loop $rounds
      (local.set $sum
        (i64.mul (i64.const 0x100000001b3)
          (i64.xor (local.get $sum)
            (i64.extend_i32_u (call $walk (call $make (i32.const 8) (local.get $round)))))))
      (local.set $round (i32.add (local.get $round) (i32.const 1)))
      (br_if $rounds (i32.lt_u (local.get $round) (i32.const ROUNDS))))
    (local.set $sum
      (i64.mul (i64.const 0x100000001b3)
        (i64.xor (local.get $sum) (i64.extend_i32_u (call $walk (local.get $kept))))))
    (call $report (i64.sub (call $now) (local.get $start)) (local.get $sum)))
