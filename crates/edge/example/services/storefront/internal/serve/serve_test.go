package serve

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func ready(h *Health) int {
	mux := http.NewServeMux()
	h.Register(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	return w.Code
}

func TestReadiness(t *testing.T) {
	if code := ready(&Health{}); code != http.StatusOK {
		t.Errorf("got %d", code)
	}
	if code := ready(&Health{Check: func() error { return errors.New("no disk") }}); code != http.StatusServiceUnavailable {
		t.Errorf("got %d", code)
	}
}

func TestRunLetsRequestsFinish(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		stop()
		time.Sleep(50 * time.Millisecond)
		w.Write([]byte("done"))
	})
	health := &Health{}
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, address, slow, health) }()

	var response *http.Response
	for range 100 {
		if response, err = http.Get("http://" + address); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("got %s", response.Status)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if code := ready(health); code != http.StatusServiceUnavailable {
		t.Errorf("got %d after the end", code)
	}
}
