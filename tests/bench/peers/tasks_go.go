// Goroutines and timers of Go, on one core. The jobs are those of cost.h.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const switches, spawns, items = 4000000, 1000000, 2000000

func cpu() float64 {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}

func resident() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		panic(err)
	}
	return float64(pages * os.Getpagesize())
}

func yields() {
	var all sync.WaitGroup
	start := cpu()
	for task := 0; task < 2; task++ {
		all.Add(1)
		go func() {
			for i := 0; i < switches/2; i++ {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	all.Wait()
	fmt.Println("ns", (cpu()-start)*1e9/switches)
}

func spawn() {
	var all sync.WaitGroup
	start := cpu()
	for n := 0; n < spawns; n += 100 {
		all.Add(100)
		for i := 0; i < 100; i++ {
			go all.Done()
		}
		all.Wait()
	}
	fmt.Println("ns", (cpu()-start)*1e9/spawns)
}

func queue(capacity int) {
	channel := make(chan int, capacity)
	start := cpu()
	go func() {
		for i := 1; i <= items; i++ {
			channel <- i
		}
		close(channel)
	}()
	sum := 0
	for item := range channel {
		sum += item
	}
	fmt.Println("ns", (cpu()-start)*1e9/items)
	if sum != items*(items+1)/2 {
		panic("a lost item")
	}
}

func sleepers(n int, pause func() time.Duration) {
	var all sync.WaitGroup
	before, start, used := resident(), time.Now(), cpu()
	all.Add(n)
	for i := 0; i < n; i++ {
		d := pause()
		go func() {
			time.Sleep(d)
			all.Done()
		}()
	}
	runtime.Gosched() // all go to sleep
	bytes := (resident() - before) / float64(n)
	all.Wait()
	fmt.Println("cpu_s", cpu()-used)
	fmt.Println("wall_s", time.Since(start).Seconds())
	fmt.Println("bytes", bytes)
}

// These fire as they become due: the runtime does not wait for this function to let it.
func timers(n int, pause func() time.Duration) {
	done := make(chan bool)
	left := n / 2
	all := make([]*time.Timer, n)
	var lock sync.Mutex
	start := cpu()
	for i := range all {
		all[i] = time.AfterFunc(pause(), func() { // in a goroutine of its own
			lock.Lock()
			if left--; left == 0 {
				close(done)
			}
			lock.Unlock()
		})
	}
	inserted := cpu()
	for i := 0; i < n; i += 2 {
		if !all[i].Stop() {
			panic("fired before it was stopped")
		}
	}
	cancelled := cpu()
	<-done
	end := cpu()
	fmt.Println("insert_ns", (inserted-start)*1e9/float64(n))
	fmt.Println("cancel_ns", (cancelled-inserted)*1e9/float64(n-n/2))
	fmt.Println("fire_ns", (end-cancelled)*1e9/float64(n/2))
	fmt.Println("all_ns", (end-start)*1e9/float64(n))
}

func main() {
	runtime.GOMAXPROCS(1)
	var numbers [3]int
	for i := 2; i < len(os.Args); i++ {
		numbers[i-2], _ = strconv.Atoi(os.Args[i])
	}
	pause := func() time.Duration {
		return time.Duration((float64(numbers[1]) + float64(numbers[2])*rand.Float64()) * 1e6)
	}
	switch os.Args[1] {
	case "switch":
		yields()
	case "spawn":
		spawn()
	case "queue":
		queue(numbers[0])
	case "sleepers":
		sleepers(numbers[0], pause)
	case "timers":
		timers(numbers[0], pause)
	case "version":
		fmt.Println("Go", strings.TrimPrefix(runtime.Version(), "go"))
	}
}
