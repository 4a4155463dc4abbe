package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestCalls(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /products", func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"currency": "EUR", "products": [{"id": "beans", "price": 1450}]}`))
	})
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); string(body) != `{"lines":[{"product":"beans","quantity":2}]}` {
			t.Errorf("got %s", body)
		}
		w.WriteHeader(http.StatusCreated)
		w.Write([]byte(`{"id": "1", "state": "queued", "body": {"total": 2900}}`))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	c := &Client{URL: server.URL, HTTP: server.Client()}
	ctx := context.Background()

	if catalogue, err := c.Catalogue(ctx); err != nil || len(catalogue.Products) != 1 {
		t.Errorf("got %+v, %v", catalogue, err)
	}
	if order, err := c.Place(ctx, []Line{{"beans", 2}}); err != nil || order.Body.Total != 2900 {
		t.Errorf("got %+v, %v", order, err)
	}
	if _, err := c.Order(ctx, "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
