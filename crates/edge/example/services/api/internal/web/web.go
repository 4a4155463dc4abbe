// Package web is the HTTP interface: products and orders for the storefront, the queue for workers and the operator.
package web

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"shop.example.com/api/internal/catalogue"
	"shop.example.com/api/internal/queue"
)

// bodyLimit is the largest request that is read.
const bodyLimit = 64 << 10

// API answers requests. Its only queue is called "orders".
type API struct {
	Catalogue catalogue.Catalogue
	Currency  string
	Orders    *queue.Queue
	// Token is what workers show; without one everybody is a worker.
	Token string
}

// Register adds the endpoints.
func (a *API) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /products", a.products)
	mux.HandleFunc("POST /orders", a.placeOrder)
	mux.HandleFunc("GET /orders/{id}", a.order)
	mux.HandleFunc("GET /queues/orders", a.stats)
	mux.HandleFunc("PUT /queues/orders", a.configure)
	mux.HandleFunc("POST /queues/orders/take", a.worker(a.take))
	mux.HandleFunc("POST /queues/orders/{id}/complete", a.worker(a.complete))
	mux.HandleFunc("POST /queues/orders/{id}/retry", a.worker(a.retry))
}

// Line is one product of an order.
type Line struct {
	Product  string `json:"product"`
	Quantity int    `json:"quantity"`
}

// Order is what a customer wants.
type Order struct {
	Lines    []Line `json:"lines"`
	Total    int    `json:"total"`
	Currency string `json:"currency"`
}

func (a *API) products(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"currency": a.Currency, "products": a.Catalogue.Products})
}

func (a *API) placeOrder(w http.ResponseWriter, r *http.Request) {
	var order Order
	if !read(w, r, &order) {
		return
	}
	if len(order.Lines) == 0 {
		refuse(w, http.StatusUnprocessableEntity, "an order has at least one line")
		return
	}
	order.Total, order.Currency = 0, a.Currency
	for _, line := range order.Lines {
		product, found := a.Catalogue.Get(line.Product)
		if !found {
			refuse(w, http.StatusUnprocessableEntity, fmt.Sprintf("there is no product %q", line.Product))
			return
		}
		if line.Quantity < 1 || line.Quantity > 100 {
			refuse(w, http.StatusUnprocessableEntity, fmt.Sprintf("%q: a quantity is between 1 and 100", line.Product))
			return
		}
		order.Total += product.Price * line.Quantity
	}
	body, err := json.Marshal(order)
	if err != nil {
		fail(w, r, err)
		return
	}
	message, err := a.Orders.Put(body)
	if err != nil {
		fail(w, r, err)
		return
	}
	slog.Info("order placed", "order", message.ID, "total", order.Total)
	answer(w, http.StatusCreated, message)
}

func (a *API) order(w http.ResponseWriter, r *http.Request) {
	message, err := a.Orders.Get(r.PathValue("id"))
	if err != nil {
		fail(w, r, err)
		return
	}
	answer(w, http.StatusOK, message)
}

func (a *API) stats(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, a.Orders.Stats())
}

// settings are the queue's, as the operator sends them.
type settings struct {
	MaxAttempts       int    `json:"maxAttempts"`
	VisibilityTimeout string `json:"visibilityTimeout"`
}

func (a *API) configure(w http.ResponseWriter, r *http.Request) {
	var s settings
	if !read(w, r, &s) {
		return
	}
	timeout, err := time.ParseDuration(s.VisibilityTimeout)
	if err != nil || timeout <= 0 || s.MaxAttempts < 1 {
		refuse(w, http.StatusUnprocessableEntity, "maxAttempts is at least 1, visibilityTimeout a duration such as 30s")
		return
	}
	wanted := queue.Settings{MaxAttempts: s.MaxAttempts, VisibilityTimeout: timeout}
	if a.Orders.Settings() != wanted {
		slog.Info("queue configured", "maxAttempts", s.MaxAttempts, "visibilityTimeout", s.VisibilityTimeout)
		a.Orders.Configure(wanted)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) take(w http.ResponseWriter, _ *http.Request) {
	message, receipt, found := a.Orders.Take()
	if !found {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"id": message.ID, "receipt": receipt, "attempts": message.Attempts, "body": message.Body,
	})
}

// outcome is what a worker says of a message that it has.
type outcome struct {
	Receipt string `json:"receipt"`
	Reason  string `json:"reason"`
}

func (a *API) complete(w http.ResponseWriter, r *http.Request) {
	a.finish(w, r, func(id string, o outcome) error { return a.Orders.Complete(id, o.Receipt) })
}

func (a *API) retry(w http.ResponseWriter, r *http.Request) {
	a.finish(w, r, func(id string, o outcome) error { return a.Orders.Retry(id, o.Receipt, o.Reason) })
}

func (a *API) finish(w http.ResponseWriter, r *http.Request, finish func(string, outcome) error) {
	var o outcome
	if !read(w, r, &o) {
		return
	}
	if err := finish(r.PathValue("id"), o); err != nil {
		fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// worker lets only those through who know the token.
func (a *API) worker(next http.HandlerFunc) http.HandlerFunc {
	want := []byte("Bearer " + a.Token)
	return func(w http.ResponseWriter, r *http.Request) {
		if a.Token != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			refuse(w, http.StatusUnauthorized, "workers show QUEUE_TOKEN as a bearer token")
			return
		}
		next(w, r)
	}
}

// Metrics prints the queue's numbers for Prometheus.
func (a *API) Metrics(w io.Writer) {
	s := a.Orders.Stats()
	for _, m := range []struct {
		name, kind string
		value      float64
	}{
		{"queue_depth", "gauge", float64(s.Depth)},
		{"queue_in_flight", "gauge", float64(s.InFlight)},
		{"queue_oldest_seconds", "gauge", s.Oldest.Seconds()},
		{"queue_completed_total", "counter", float64(s.Completed)},
		{"queue_retried_total", "counter", float64(s.Retried)},
		{"queue_failed_total", "counter", float64(s.Failed)},
	} {
		fmt.Fprintf(w, "# TYPE %s %s\n%s{queue=\"orders\"} %g\n", m.name, m.kind, m.name, m.value)
	}
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit)).Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, "the body is not what was expected: "+err.Error())
		return false
	}
	return true
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, code int, message string) {
	answer(w, code, map[string]string{"error": message})
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, queue.ErrUnknown):
		refuse(w, http.StatusNotFound, err.Error())
	case errors.Is(err, queue.ErrNotHeld):
		refuse(w, http.StatusConflict, err.Error())
	default:
		slog.Error("request failed", "path", r.URL.Path, "error", err)
		refuse(w, http.StatusInternalServerError, "try again later")
	}
}
