package metrics

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRequestsAreCountedByPattern(t *testing.T) {
	r := New("api")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	handler := r.Measure(mux)
	for _, path := range []string{"/orders/1", "/orders/2", "/elsewhere"} {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	page := httptest.NewRecorder()
	r.ServeHTTP(page, nil)
	for _, want := range []string{
		`http_requests_total{service="api",route="GET /orders/{id}",code="404"} 2`,
		`http_requests_total{service="api",route="none",code="404"} 1`,
		`http_request_duration_seconds_count{service="api",route="GET /orders/{id}"} 2`,
	} {
		if !strings.Contains(page.Body.String(), want+"\n") {
			t.Errorf("no %s in\n%s", want, page.Body)
		}
	}
}
