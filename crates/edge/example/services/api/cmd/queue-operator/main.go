// The queue-operator: keeps queues as the Queue resources of a cluster say.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"time"

	"shop.example.com/api/internal/metrics"
	"shop.example.com/api/internal/operator"
	"shop.example.com/api/internal/serve"
)

func main() {
	serve.Log()
	if err := run(); err != nil {
		slog.Error("queue-operator failed", "error", err)
		os.Exit(1)
	}
}

func run() error {
	interval, err := time.ParseDuration(serve.Env("INTERVAL", "10s"))
	if err != nil {
		return err
	}
	kubernetes, err := operator.InCluster()
	if err != nil {
		return err
	}
	o := &operator.Operator{
		Kubernetes: kubernetes,
		Services:   &http.Client{Timeout: 5 * time.Second},
		Address:    operator.ServiceAddress,
		Now:        time.Now,
	}
	registry := metrics.New("queue-operator")
	health := &serve.Health{Check: o.Ready}
	mux := http.NewServeMux()
	health.Register(mux)
	mux.Handle("GET /metrics", registry)

	ctx, stop := serve.Context()
	defer stop()
	go o.Run(ctx, interval)
	return serve.Run(ctx, serve.Env("LISTEN_ADDRESS", ":8080"), registry.Measure(mux), health)
}
