// The integration-test: plays a customer of a running shop. Its argument is the scenario.
package main

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"time"

	"shop.example.com/api/internal/scenario"
	"shop.example.com/api/internal/serve"
)

func main() {
	serve.Log()
	names := slices.Sorted(maps.Keys(scenario.All))
	if len(os.Args) != 2 || scenario.All[os.Args[1]] == nil {
		slog.Error("one argument, the scenario", "scenarios", names)
		os.Exit(2)
	}
	timeout, err := time.ParseDuration(serve.Env("TIMEOUT", "60s"))
	if err != nil {
		slog.Error("TIMEOUT is no duration", "error", err)
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	customer := &scenario.Customer{
		Storefront: serve.Env("STOREFRONT_URL", "http://localhost:8080"),
		Client:     &http.Client{Timeout: 10 * time.Second},
	}
	if err := scenario.All[os.Args[1]](customer, ctx); err != nil {
		slog.Error("failed", "scenario", os.Args[1], "error", err)
		os.Exit(1)
	}
	slog.Info("passed", "scenario", os.Args[1])
}
