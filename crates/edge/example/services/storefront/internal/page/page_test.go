package page

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"shop.example.com/storefront/internal/api"
)

// fixed is an api with one product and one order.
type fixed struct {
	placed []api.Line
	order  api.Order
	err    error
}

func (f *fixed) Catalogue(context.Context) (api.Catalogue, error) {
	return api.Catalogue{Currency: "EUR", Products: []api.Product{{ID: "beans", Name: "<Beans>", Price: 1450}}}, f.err
}

func (f *fixed) Place(_ context.Context, lines []api.Line) (api.Order, error) {
	f.placed = lines
	return f.order, f.err
}

func (f *fixed) Order(context.Context, string) (api.Order, error) { return f.order, f.err }

func visit(t *testing.T, f *fixed, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	mux := http.NewServeMux()
	(&Site{API: f, Banner: "Staging"}).Register(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w
}

func form(values url.Values) *http.Request {
	r := httptest.NewRequest("POST", "/orders", strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func TestCatalogueShowsProducts(t *testing.T) {
	page := visit(t, &fixed{}, httptest.NewRequest("GET", "/", nil)).Body.String()
	for _, want := range []string{"&lt;Beans&gt;", "€14.50", `name="product" value="beans"`, "Staging"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in %s", want, page)
		}
	}
}

func TestBuying(t *testing.T) {
	f := &fixed{order: api.Order{ID: "42"}}
	w := visit(t, f, form(url.Values{"product": {"beans"}, "quantity": {"3"}}))
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/orders/42" {
		t.Errorf("got %d to %q", w.Code, w.Header().Get("Location"))
	}
	if len(f.placed) != 1 || f.placed[0] != (api.Line{Product: "beans", Quantity: 3}) {
		t.Errorf("placed %v", f.placed)
	}
	if w := visit(t, f, form(url.Values{"product": {"beans"}, "quantity": {"many"}})); w.Code != http.StatusBadRequest {
		t.Errorf("got %d", w.Code)
	}
}

func TestOrderPageRefreshesUntilDone(t *testing.T) {
	for state, refresh := range map[string]string{"queued": "1", "processing": "1", "completed": "", "failed": ""} {
		f := &fixed{order: api.Order{ID: "42", State: state}}
		w := visit(t, f, httptest.NewRequest("GET", "/orders/42", nil))
		if got := w.Header().Get("Refresh"); got != refresh {
			t.Errorf("%s: refresh is %q", state, got)
		}
		if !strings.Contains(w.Body.String(), `data-state="`+state+`"`) {
			t.Errorf("%s: %s", state, w.Body)
		}
	}
}

func TestProblems(t *testing.T) {
	for err, want := range map[error]int{api.ErrNotFound: http.StatusNotFound, errors.New("refused"): http.StatusBadGateway} {
		if w := visit(t, &fixed{err: err}, httptest.NewRequest("GET", "/orders/1", nil)); w.Code != want {
			t.Errorf("%v: got %d", err, w.Code)
		}
	}
}

func TestMoney(t *testing.T) {
	for want, got := range map[string]string{"€14.50": money(1450, "EUR"), "$0.05": money(5, "USD"), "CHF 1.00": money(100, "CHF")} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
