// Reads questions, one a line, and answers 1 or 0: whether Go's sumdb/note and sumdb/tlog accept what is given.
//
//	note KEY HEX            a signed note, in hex
//	record SIZE ROOT INDEX LEAF HASHES
//	tree NEW NEWROOT OLD OLDROOT HASHES
//
// Hashes are in hex, joined by commas; "-" stands for none.
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func hash(text string) tlog.Hash {
	var h tlog.Hash
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != tlog.HashSize {
		panic("a hash is 32 bytes in hex")
	}
	copy(h[:], raw)
	return h
}

func hashes(text string) []tlog.Hash {
	var found []tlog.Hash
	if text != "-" {
		for _, each := range strings.Split(text, ",") {
			found = append(found, hash(each))
		}
	}
	return found
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func accepts(asked []string) bool {
	switch asked[0] {
	case "note":
		verifier, err := note.NewVerifier(asked[1])
		if err != nil {
			return false
		}
		raw, _ := hex.DecodeString(asked[2])
		_, err = note.Open(raw, note.VerifierList(verifier))
		return err == nil
	case "record":
		return tlog.CheckRecord(tlog.RecordProof(hashes(asked[5])), number(asked[1]), hash(asked[2]), number(asked[3]), hash(asked[4])) == nil
	case "tree":
		return tlog.CheckTree(tlog.TreeProof(hashes(asked[5])), number(asked[1]), hash(asked[2]), number(asked[3]), hash(asked[4])) == nil
	}
	panic("unknown question")
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		answer := 0
		if accepts(strings.Fields(in.Text())) {
			answer = 1
		}
		fmt.Println(answer)
	}
}
