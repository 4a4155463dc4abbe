package scenario

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// storefront completes an order when its page is looked at the second time, if at all.
func storefront(t *testing.T, completes bool) *Customer {
	t.Helper()
	visits := 0
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`<button name="product" value="beans">`))
	})
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("product") != "beans" {
			t.Errorf("ordered %q", r.FormValue("product"))
		}
		http.Redirect(w, r, "/orders/1", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /orders/1", func(w http.ResponseWriter, _ *http.Request) {
		if visits++; completes && visits > 1 {
			w.Write([]byte(`<p data-state="completed">`))
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return &Customer{Storefront: server.URL, Client: server.Client()}
}

func TestScenariosPass(t *testing.T) {
	for name, run := range All {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := run(storefront(t, true), ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckoutFailsWhenNobodyWorks(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond)
	defer cancel()
	if err := storefront(t, false).Checkout(ctx); err == nil {
		t.Error("no error")
	}
}
