package queue

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

func client(t *testing.T, code int, body string) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("authorization is %q", r.Header.Get("Authorization"))
		}
		w.WriteHeader(code)
		w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return &Client{URL: server.URL + "/queues/orders", Token: "secret", HTTP: server.Client()}
}

func TestTake(t *testing.T) {
	m, err := client(t, 200, `{"id": "1", "receipt": "r", "attempts": 2, "body": {}}`).Take(context.Background())
	if err != nil || m.ID != "1" || m.Attempts != 2 {
		t.Errorf("got %+v, %v", m, err)
	}
}

func TestEmptyQueue(t *testing.T) {
	if m, err := client(t, 204, "").Take(context.Background()); err != nil || m != nil {
		t.Errorf("got %+v, %v", m, err)
	}
}

func TestLostAndBroken(t *testing.T) {
	if err := client(t, 409, "{}").Complete(context.Background(), &Message{ID: "1"}); !errors.Is(err, ErrLost) {
		t.Errorf("got %v", err)
	}
	if err := client(t, 500, "no disk").Retry(context.Background(), &Message{ID: "1"}, "why"); err == nil || errors.Is(err, ErrLost) {
		t.Errorf("got %v", err)
	}
}
