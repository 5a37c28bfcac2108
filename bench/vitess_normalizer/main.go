// How fast the Vitess parser's normaliser is on one core: parse, normalise, print, over the statements of a corpus file.
//
//	vitess_normalizer CORPUS.json [ROUNDS]    a JSON array of {"sql": …}; the best of ROUNDS passes counts (default 5)
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"vitess.io/vitess/go/vt/sqlparser"
)

// Processor time of the whole program, its garbage collector's included.
func secondsUsed() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: vitess_normalizer CORPUS.json [ROUNDS]")
		os.Exit(2)
	}
	rounds := 5
	if len(os.Args) > 2 {
		if given, err := strconv.Atoi(os.Args[2]); err == nil && given > 0 {
			rounds = given
		}
	}
	content, err := os.ReadFile(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	var entries []struct {
		SQL string `json:"sql"`
	}
	if err := json.Unmarshal(content, &entries); err != nil {
		fmt.Fprintf(os.Stderr, "%s: no JSON array of {\"sql\": …}: %v\n", os.Args[1], err)
		os.Exit(3)
	}
	content = nil
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(400) // a server's memory is larger than this program's: let the collector run as seldom as there
	parser := sqlparser.NewTestParser()
	bytes, refused, best, length := 0, 0, 1e9, 0
	for _, entry := range entries {
		bytes += len(entry.SQL)
	}
	for round := 0; round < rounds; round++ {
		refused, length = 0, 0
		start := secondsUsed()
		for i := range entries {
			normalized, err := parser.RedactSQLQuery(entries[i].SQL)
			if err != nil {
				refused++
			}
			length += len(normalized)
		}
		best = min(best, secondsUsed()-start)
	}
	fmt.Printf("%-28s %8.1f MB/s %8.0f ns/statement   (%d statements, %d refused, check %d)\n", "vitess RedactSQLQuery", float64(bytes)/best/1e6,
		best*1e9/float64(len(entries)), len(entries), refused, length)
}
