// Package api is a client for the api service.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// ErrNotFound says that there is no such order.
var ErrNotFound = errors.New("there is no such order")

// Product is one thing to buy. Price is in the smallest unit of the currency.
type Product struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Price int    `json:"price"`
	Text  string `json:"text"`
}

// Catalogue is what there is to buy.
type Catalogue struct {
	Currency string    `json:"currency"`
	Products []Product `json:"products"`
}

// Line is one product of an order.
type Line struct {
	Product  string `json:"product"`
	Quantity int    `json:"quantity"`
}

// Order is an order and how far it is.
type Order struct {
	ID       string `json:"id"`
	State    string `json:"state"`
	Attempts int    `json:"attempts"`
	Body     struct {
		Lines    []Line `json:"lines"`
		Total    int    `json:"total"`
		Currency string `json:"currency"`
	} `json:"body"`
}

// Client talks to the api.
type Client struct {
	URL  string
	HTTP *http.Client
}

// Catalogue asks what there is to buy.
func (c *Client) Catalogue(ctx context.Context) (Catalogue, error) {
	var answer Catalogue
	err := c.call(ctx, http.MethodGet, "/products", nil, &answer)
	return answer, err
}

// Place places an order.
func (c *Client) Place(ctx context.Context, lines []Line) (Order, error) {
	var answer Order
	err := c.call(ctx, http.MethodPost, "/orders", map[string]any{"lines": lines}, &answer)
	return answer, err
}

// Order asks how far an order is.
func (c *Client) Order(ctx context.Context, id string) (Order, error) {
	var answer Order
	err := c.call(ctx, http.MethodGet, "/orders/"+url.PathEscape(id), nil, &answer)
	return answer, err
}

func (c *Client) call(ctx context.Context, method, path string, body, into any) error {
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.URL+path, reader)
	if err != nil {
		return err
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return ErrNotFound
	}
	if response.StatusCode >= 300 {
		message, _ := io.ReadAll(io.LimitReader(response.Body, 512))
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, bytes.TrimSpace(message))
	}
	return json.NewDecoder(response.Body).Decode(into)
}
