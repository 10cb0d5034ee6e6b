// SPDX-License-Identifier: Apache-2.0

// A program over an embedded database, github.com/tidwall/buntdb as it is: counts up until it is
// killed, several keys in each transaction, and looks at its start whether all that was there is
// whole. Prints "opened N", then each number that is durable; every 200 of them the database writes
// its file anew.
package main

import (
	"crypto/sha256"
	"fmt"
	"log"
	"strconv"

	"github.com/tidwall/buntdb"
)

const keysOfEach = 5

func value(number, key int) string {
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%d/%d", number, key)))
}

func name(number, key int) string {
	return fmt.Sprintf("%08d/%d", number, key)
}

// How far it had come, if every transaction is there as a whole and nothing else is.
func look(tx *buntdb.Tx) (int, error) {
	text, err := tx.Get("last")
	if err == buntdb.ErrNotFound {
		text = "0"
	} else if err != nil {
		return 0, err
	}
	last, err := strconv.Atoi(text)
	if err != nil {
		return 0, err
	}
	for number := 1; number <= last; number++ {
		for key := range keysOfEach {
			found, err := tx.Get(name(number, key))
			if err != nil || found != value(number, key) {
				return 0, fmt.Errorf("%s is %q: %v", name(number, key), found, err)
			}
		}
	}
	count, err := tx.Len()
	if wanted := last*keysOfEach + min(last, 1); err == nil && count != wanted {
		err = fmt.Errorf("%d keys, and not %d", count, wanted)
	}
	return last, err
}

func main() {
	log.SetFlags(0)
	db, err := buntdb.Open("/data/numbers.db")
	if err != nil {
		log.Fatal(err)
	}
	if err := db.SetConfig(buntdb.Config{SyncPolicy: buntdb.Always}); err != nil {
		log.Fatal(err)
	}
	var last int
	if err := db.View(func(tx *buntdb.Tx) (err error) { last, err = look(tx); return }); err != nil {
		log.Fatal(err)
	}
	fmt.Println("opened", last)
	for number := last + 1; ; number++ {
		err := db.Update(func(tx *buntdb.Tx) error {
			for key := range keysOfEach {
				if _, _, err := tx.Set(name(number, key), value(number, key), nil); err != nil {
					return err
				}
			}
			_, _, err := tx.Set("last", strconv.Itoa(number), nil)
			return err
		})
		if err == nil && number%200 == 0 {
			err = db.Shrink()
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(number)
	}
}
