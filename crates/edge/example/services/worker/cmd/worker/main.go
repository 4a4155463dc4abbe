// The worker: takes orders from the api's queue and completes them.
package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"shop.example.com/worker/internal/metrics"
	"shop.example.com/worker/internal/queue"
	"shop.example.com/worker/internal/serve"
	"shop.example.com/worker/internal/work"
)

func main() {
	serve.Log()
	if err := run(); err != nil {
		slog.Error("worker failed", "error", err)
		os.Exit(1)
	}
}

func run() error {
	concurrency, err := strconv.Atoi(serve.Env("CONCURRENCY", "2"))
	if err != nil || concurrency < 1 {
		return fmt.Errorf("CONCURRENCY is %q, not a number above 0", os.Getenv("CONCURRENCY"))
	}
	poll, err := time.ParseDuration(serve.Env("POLL_INTERVAL", "1s"))
	if err != nil {
		return fmt.Errorf("POLL_INTERVAL: %w", err)
	}
	address := strings.TrimSuffix(serve.Env("API_URL", "http://localhost:8080"), "/")
	pool := &work.Pool{
		Queue: &queue.Client{
			URL:   address + "/queues/" + url.PathEscape(serve.Env("QUEUE", "orders")),
			Token: os.Getenv("QUEUE_TOKEN"),
			HTTP:  &http.Client{Timeout: 5 * time.Second},
		},
		Do:          work.Pack,
		Concurrency: concurrency,
		Poll:        poll,
		Timeout:     20 * time.Second,
	}
	registry := metrics.New("worker")
	registry.Collect(pool.Metrics)
	health := &serve.Health{Check: pool.Ready}
	mux := http.NewServeMux()
	health.Register(mux)
	mux.Handle("GET /metrics", registry)

	ctx, stop := serve.Context()
	defer stop()
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		pool.Run(ctx)
	}()
	err = serve.Run(ctx, serve.Env("LISTEN_ADDRESS", ":8080"), registry.Measure(mux), health)
	stop()
	<-finished
	return err
}
