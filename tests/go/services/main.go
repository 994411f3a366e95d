// What a program gets of the services that it finds on Linux: one line each.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func goroutines() int {
	numbers, sums := make(chan int), make(chan int)
	var done sync.WaitGroup
	for worker := 0; worker < 4; worker++ {
		done.Add(1)
		go func() {
			defer done.Done()
			sum := 0
			for number := range numbers {
				sum += number
			}
			sums <- sum
		}()
	}
	go func() {
		for number := 1; number <= 100; number++ {
			numbers <- number
		}
		close(numbers)
		done.Wait()
		close(sums)
	}()
	all := 0
	for sum := range sums {
		all += sum
	}
	return all
}

// More than the heap at which the garbage collector would start.
func garbage() (total int) {
	for round := 0; round < 64; round++ {
		piece := make([]byte, 1<<20)
		piece[round] = byte(round)
		total += len(piece)
	}
	return total
}

//go:noinline
func shift(value int32, amount uint) int32 {
	return value >> amount
}

func main() {
	_, err := os.Open("/etc/passwd")
	fmt.Println("open:", err)
	_, err = os.ReadDir(".")
	fmt.Println("folder:", err)
	_, err = os.StartProcess("/bin/sh", []string{"sh"}, &os.ProcAttr{})
	fmt.Println("process:", err)
	n, err := os.Stdin.Read(make([]byte, 8))
	fmt.Println("input:", n, err)
	_, err = os.NewFile(9, "nine").Write([]byte("x"))
	fmt.Println("descriptor:", err)
	names := flag.NewFlagSet(os.Args[0], flag.ContinueOnError)
	fmt.Println("arguments:", len(os.Args), names.Parse(os.Args[1:]), os.Getenv("HOME") == "")
	fmt.Println("clock:", time.Now().Unix(), time.Since(time.Now()))
	fmt.Println("processors:", runtime.NumCPU())
	fmt.Println("goroutines:", goroutines())
	fmt.Println("garbage:", garbage())
	var counter uint64
	atomic.AddUint64(&counter, 1<<40)
	var word int32 = 5
	swapped := atomic.CompareAndSwapInt32(&word, 5, 7)
	fmt.Println("atomics:", counter, swapped, atomic.AddInt32(&word, 1))
	fmt.Println("shifts:", shift(-8, 1), shift(-8, 31), shift(-8, 32), shift(-8, 200), shift(8, 200))
	fmt.Println("floats:", 1.0/3, float32(2)/7)
	func() {
		defer func() { fmt.Println("panic:", recover()) }()
		zero := len(os.Args) - 1
		fmt.Println(1 / zero)
	}()
	// Nothing will ever come.
	<-make(chan int)
}
