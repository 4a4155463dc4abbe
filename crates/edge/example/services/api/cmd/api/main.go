// The api: products, orders, and the queue that workers take orders from.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"shop.example.com/api/internal/catalogue"
	"shop.example.com/api/internal/metrics"
	"shop.example.com/api/internal/queue"
	"shop.example.com/api/internal/serve"
	"shop.example.com/api/internal/web"
)

func main() {
	serve.Log()
	if err := run(); err != nil {
		slog.Error("api failed", "error", err)
		os.Exit(1)
	}
}

func run() error {
	products, err := catalogue.Load(serve.Env("CATALOGUE_FILE", "catalogue.json"))
	if err != nil {
		return err
	}
	orders, err := queue.Open(filepath.Join(serve.Env("DATA_DIRECTORY", "data"), "orders.journal"), time.Now)
	if err != nil {
		return err
	}
	defer orders.Close()

	api := &web.API{
		Catalogue: products,
		Currency:  serve.Env("CURRENCY", "EUR"),
		Orders:    orders,
		Token:     os.Getenv("QUEUE_TOKEN"),
	}
	registry := metrics.New("api")
	registry.Collect(api.Metrics)
	health := &serve.Health{}
	mux := http.NewServeMux()
	health.Register(mux)
	api.Register(mux)
	mux.Handle("GET /metrics", registry)

	ctx, stop := serve.Context()
	defer stop()
	return serve.Run(ctx, serve.Env("LISTEN_ADDRESS", ":8080"), registry.Measure(mux), health)
}
