// The storefront: the web page that customers see.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"shop.example.com/storefront/internal/api"
	"shop.example.com/storefront/internal/metrics"
	"shop.example.com/storefront/internal/page"
	"shop.example.com/storefront/internal/serve"
)

func main() {
	serve.Log()
	if err := run(); err != nil {
		slog.Error("storefront failed", "error", err)
		os.Exit(1)
	}
}

func run() error {
	site := &page.Site{
		API: &api.Client{
			URL:  strings.TrimSuffix(serve.Env("API_URL", "http://localhost:8080"), "/"),
			HTTP: &http.Client{Timeout: 5 * time.Second},
		},
		Banner:  os.Getenv("BANNER"),
		Support: os.Getenv("SUPPORT_EMAIL"),
		URL:     os.Getenv("PUBLIC_URL"),
	}
	registry := metrics.New("storefront")
	// Ready also without the api: a page that apologises is better than none.
	health := &serve.Health{}
	mux := http.NewServeMux()
	health.Register(mux)
	site.Register(mux)
	mux.Handle("GET /metrics", registry)

	ctx, stop := serve.Context()
	defer stop()
	return serve.Run(ctx, serve.Env("LISTEN_ADDRESS", ":8080"), registry.Measure(mux), health)
}
