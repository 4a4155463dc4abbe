package operator

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// cluster is an API server with one queue, and the service that keeps it.
type cluster struct {
	queue    Queue
	writes   int
	settings map[string]any
	broken   bool
}

func newOperator(t *testing.T) (*Operator, *cluster) {
	t.Helper()
	c := &cluster{}
	c.queue.Metadata.Name, c.queue.Metadata.Namespace, c.queue.Metadata.Generation = "orders", "shop", 3
	c.queue.Spec.MaxAttempts, c.queue.Spec.VisibilityTimeout = 5, "30s"

	mux := http.NewServeMux()
	mux.HandleFunc("GET /apis/shop.example.com/v1/queues", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer token" {
			http.Error(w, "who are you", http.StatusUnauthorized)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"items": []Queue{c.queue}})
	})
	mux.HandleFunc("PATCH /apis/shop.example.com/v1/namespaces/shop/queues/orders/status", func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Content-Type"); got != "application/merge-patch+json" {
			t.Errorf("content type is %q", got)
		}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &c.queue); err != nil {
			t.Error(err)
		}
		c.writes++
	})
	mux.HandleFunc("PUT /queues/orders", func(w http.ResponseWriter, r *http.Request) {
		if c.broken {
			http.Error(w, "no disk", http.StatusInternalServerError)
			return
		}
		json.NewDecoder(r.Body).Decode(&c.settings)
	})
	mux.HandleFunc("GET /queues/orders", func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"depth": 7, "inFlight": 2}`))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return &Operator{
		Kubernetes: &Kubernetes{URL: server.URL, Client: server.Client(), Token: func() (string, error) { return "token", nil }},
		Services:   server.Client(),
		Address:    func(Queue) string { return server.URL },
		Now:        func() time.Time { return time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC) },
	}, c
}

func TestSettingsGoToTheServiceAndNumbersComeBack(t *testing.T) {
	o, c := newOperator(t)
	if o.Ready() == nil {
		t.Error("ready before anything happened")
	}
	for range 2 {
		if err := o.Reconcile(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if c.settings["maxAttempts"] != 5.0 || c.settings["visibilityTimeout"] != "30s" {
		t.Errorf("the service got %v", c.settings)
	}
	s := c.queue.Status
	if s.Depth != 7 || s.InFlight != 2 || s.ObservedGeneration != 3 || s.Conditions[0].Status != "True" {
		t.Errorf("status is %+v", s)
	}
	if c.writes != 1 {
		t.Errorf("wrote %d times, though nothing changed after the first", c.writes)
	}
	if err := o.Ready(); err != nil {
		t.Error(err)
	}
}

func TestBrokenServiceShowsInTheCondition(t *testing.T) {
	o, c := newOperator(t)
	c.broken = true
	if err := o.Reconcile(context.Background()); err != nil {
		t.Fatal(err)
	}
	if condition := c.queue.Status.Conditions[0]; condition.Status != "False" || condition.Reason != "ServiceFails" {
		t.Errorf("condition is %+v", condition)
	}
}

func TestServiceAddress(t *testing.T) {
	var q Queue
	q.Metadata.Namespace, q.Spec.Service.Name, q.Spec.Service.Port = "shop", "api", 8080
	if got := ServiceAddress(q); got != "http://api.shop:8080" {
		t.Errorf("got %s", got)
	}
}
