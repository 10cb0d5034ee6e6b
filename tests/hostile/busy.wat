;; Makes many kinds of host calls, then copies standard input to standard output. Ends with the errno of
;; the copy, 0 when all is well.
(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir"
    (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_get"
    (func $fd_filestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_readlink"
    (func $path_readlink (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory"
    (func $path_create_directory (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_remove_directory"
    (func $path_remove_directory (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 8)
  (data (i32.const 16) "name")
  (func $chatter
    (local $i i32)
    (loop $again
      ;; 3 is the mount; results go to 1024 and behind.
      (drop (call $fd_filestat_get (i32.const 3) (i32.const 1024)))
      (drop (call $fd_readdir (i32.const 3) (i32.const 4096) (i32.const 2048) (i64.const 0)
                              (i32.const 1024)))
      (drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 1024)))
      (drop (call $path_create_directory (i32.const 3) (i32.const 16) (i32.const 3)))
      (drop (call $path_remove_directory (i32.const 3) (i32.const 16) (i32.const 3)))
      (drop (call $path_readlink (i32.const 3) (i32.const 16) (i32.const 4) (i32.const 4096)
                                 (i32.const 100) (i32.const 1024)))
      (drop (call $path_open (i32.const 3) (i32.const 1) (i32.const 16) (i32.const 4) (i32.const 1)
                             (i64.const 0x42) (i64.const 0) (i32.const 0) (i32.const 1028)))
      (drop (call $fd_close (i32.load (i32.const 1028))))
      ;; One subscription at 512: readable standard input; and a clock at 560.
      (i32.store8 (i32.const 520) (i32.const 1))
      (i32.store8 (i32.const 568) (i32.const 0))
      (i64.store (i32.const 584) (i64.const 1))
      (drop (call $poll_oneoff (i32.const 512) (i32.const 4096) (i32.const 2) (i32.const 1024)))
      (drop (call $random_get (i32.const 4096) (i32.const 100)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 10)))))
  (func (export "_start")
    (local $errno i32) (local $size i32) (local $done i32)
    ;; What calls may write to holds a secret (tests/hostile/busy.h): none of it may leave.
    (memory.fill (i32.const 4096) (i32.const 0xd7) (i32.const 400000))
    (call $chatter)
    (loop $again
      (i32.store (i32.const 0) (i32.const 65536))
      (i32.store (i32.const 4) (i32.const 300000))
      (local.set $errno (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (if (local.get $errno) (then (call $proc_exit (local.get $errno))))
      (local.set $size (i32.load (i32.const 8)))
      (local.set $done (i32.const 0))
      (block $written
        (loop $more
          (br_if $written (i32.ge_u (local.get $done) (local.get $size)))
          (i32.store (i32.const 0) (i32.add (i32.const 65536) (local.get $done)))
          (i32.store (i32.const 4) (i32.sub (local.get $size) (local.get $done)))
          (local.set $errno
            (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
          (if (local.get $errno) (then (call $proc_exit (local.get $errno))))
          (local.set $done (i32.add (local.get $done) (i32.load (i32.const 8))))
          (br $more)))
      (br_if $again (local.get $size)))))
