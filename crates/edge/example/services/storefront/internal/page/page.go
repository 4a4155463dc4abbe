// Package page is what customers see: the catalogue and their orders, as HTML that needs no scripts.
package page

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"

	"shop.example.com/storefront/internal/api"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed style.css
var style []byte

// API is where products and orders come from.
type API interface {
	Catalogue(ctx context.Context) (api.Catalogue, error)
	Place(ctx context.Context, lines []api.Line) (api.Order, error)
	Order(ctx context.Context, id string) (api.Order, error)
}

// Site is the shop.
type Site struct {
	API API
	// Banner is shown above every page, unless it is empty.
	Banner string
	// Support is where customers write to.
	Support string
	// URL is where customers find the shop.
	URL string

	pages *template.Template
}

// Register adds the pages.
func (s *Site) Register(mux *http.ServeMux) {
	functions := template.FuncMap{"money": money}
	s.pages = template.Must(template.New("").Funcs(functions).ParseFS(templates, "templates/*.html"))
	mux.HandleFunc("GET /{$}", s.catalogue)
	mux.HandleFunc("POST /orders", s.place)
	mux.HandleFunc("GET /orders/{id}", s.order)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Header().Set("Cache-Control", "max-age=300")
		w.Write(style)
	})
}

func (s *Site) catalogue(w http.ResponseWriter, r *http.Request) {
	catalogue, err := s.API.Catalogue(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.show(w, http.StatusOK, "catalogue.html", catalogue)
}

func (s *Site) place(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	quantity, err := strconv.Atoi(r.FormValue("quantity"))
	if err != nil || quantity < 1 || quantity > 100 || r.FormValue("product") == "" {
		s.show(w, http.StatusBadRequest, "problem.html", "Choose a product, and between 1 and 100 of it.")
		return
	}
	order, err := s.API.Place(r.Context(), []api.Line{{Product: r.FormValue("product"), Quantity: quantity}})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/orders/"+order.ID, http.StatusSeeOther)
}

func (s *Site) order(w http.ResponseWriter, r *http.Request) {
	order, err := s.API.Order(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if order.State == "queued" || order.State == "processing" {
		w.Header().Set("Refresh", "1")
	}
	s.show(w, http.StatusOK, "order.html", order)
}

func (s *Site) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, api.ErrNotFound) {
		s.show(w, http.StatusNotFound, "problem.html", "We don't know that order.")
		return
	}
	slog.Error("the api does not answer as it should", "path", r.URL.Path, "error", err)
	s.show(w, http.StatusBadGateway, "problem.html", "Our shelves are out of reach for a moment. Try again soon.")
}

// show renders a page in full before anything is sent, so that an error is not half a page.
func (s *Site) show(w http.ResponseWriter, code int, name string, content any) {
	var page bytes.Buffer
	if err := s.pages.ExecuteTemplate(&page, name, map[string]any{"Site": s, "Content": content}); err != nil {
		slog.Error("page can't be rendered", "page", name, "error", err)
		http.Error(w, "Something is wrong on our side.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'")
	w.WriteHeader(code)
	page.WriteTo(w)
}

// money prints an amount in the smallest unit of a currency.
func money(amount int, currency string) string {
	sign := map[string]string{"EUR": "€", "USD": "$", "GBP": "£"}[currency]
	if sign == "" {
		sign = currency + " "
	}
	return fmt.Sprintf("%s%d.%02d", sign, amount/100, amount%100)
}
