package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"shop.example.com/api/internal/catalogue"
	"shop.example.com/api/internal/queue"
)

func newServer(t *testing.T) *http.ServeMux {
	t.Helper()
	q, err := queue.Open(filepath.Join(t.TempDir(), "orders.journal"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	api := &API{
		Catalogue: catalogue.Catalogue{Products: []catalogue.Product{{ID: "beans", Name: "House beans", Price: 1450}}},
		Currency:  "EUR",
		Orders:    q,
		Token:     "secret",
	}
	mux := http.NewServeMux()
	api.Register(mux)
	return mux
}

func call(t *testing.T, h http.Handler, method, path, token, body string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	answer := map[string]any{}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
		}
	}
	return w.Code, answer
}

func TestAnOrderFromCustomerToWorker(t *testing.T) {
	api := newServer(t)
	code, placed := call(t, api, "POST", "/orders", "", `{"lines": [{"product": "beans", "quantity": 2}]}`)
	if code != http.StatusCreated || placed["state"] != "queued" {
		t.Fatalf("got %d %v", code, placed)
	}
	id := placed["id"].(string)
	if total := placed["body"].(map[string]any)["total"]; total != 2900.0 {
		t.Errorf("total is %v", total)
	}

	if code, _ := call(t, api, "POST", "/queues/orders/take", "wrong", ""); code != http.StatusUnauthorized {
		t.Errorf("got %d with a wrong token", code)
	}
	code, taken := call(t, api, "POST", "/queues/orders/take", "secret", "")
	if code != http.StatusOK || taken["id"] != id {
		t.Fatalf("got %d %v", code, taken)
	}
	if code, _ := call(t, api, "POST", "/queues/orders/take", "secret", ""); code != http.StatusNoContent {
		t.Errorf("got %d from an empty queue", code)
	}

	body := `{"receipt": "` + taken["receipt"].(string) + `"}`
	if code, answer := call(t, api, "POST", "/queues/orders/"+id+"/complete", "secret", body); code != http.StatusNoContent {
		t.Errorf("got %d %v", code, answer)
	}
	if code, _ := call(t, api, "POST", "/queues/orders/"+id+"/complete", "secret", body); code != http.StatusConflict {
		t.Errorf("got %d the second time", code)
	}
	if _, order := call(t, api, "GET", "/orders/"+id, "", ""); order["state"] != "completed" {
		t.Errorf("got %v", order)
	}
}

func TestBadOrdersAreRefused(t *testing.T) {
	api := newServer(t)
	for body, want := range map[string]int{
		`{`:             http.StatusBadRequest,
		`{"lines": []}`: http.StatusUnprocessableEntity,
		`{"lines": [{"product": "tea", "quantity": 1}]}`:   http.StatusUnprocessableEntity,
		`{"lines": [{"product": "beans", "quantity": 0}]}`: http.StatusUnprocessableEntity,
	} {
		if code, answer := call(t, api, "POST", "/orders", "", body); code != want {
			t.Errorf("%s: got %d %v", body, code, answer)
		}
	}
	if code, _ := call(t, api, "GET", "/orders/none", "", ""); code != http.StatusNotFound {
		t.Errorf("got %d for an unknown order", code)
	}
}

func TestConfigure(t *testing.T) {
	api := newServer(t)
	good, bad := `{"maxAttempts": 3, "visibilityTimeout": "1m"}`, `{"maxAttempts": 0, "visibilityTimeout": "soon"}`
	if code, answer := call(t, api, "PUT", "/queues/orders", "", good); code != http.StatusNoContent {
		t.Errorf("got %d %v", code, answer)
	}
	if code, _ := call(t, api, "PUT", "/queues/orders", "", bad); code != http.StatusUnprocessableEntity {
		t.Errorf("got %d", code)
	}
}
