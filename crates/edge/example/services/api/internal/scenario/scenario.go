// Package scenario tests a running shop from outside, as a customer.
package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Customer visits the storefront.
type Customer struct {
	Storefront string
	Client     *http.Client
}

// All are the scenarios by name.
var All = map[string]func(*Customer, context.Context) error{
	"catalogue": (*Customer).Catalogue,
	"checkout":  (*Customer).Checkout,
}

// Catalogue looks for something to buy on the page.
func (c *Customer) Catalogue(ctx context.Context) error {
	return eventually(ctx, func() error {
		page, err := c.page(ctx, "/")
		if err != nil {
			return err
		}
		if count := strings.Count(page, `name="product"`); count == 0 {
			return errors.New("the page has no products")
		}
		return nil
	})
}

// Checkout orders the first product and waits until the order is completed.
func (c *Customer) Checkout(ctx context.Context) error {
	var order string
	err := eventually(ctx, func() error {
		page, err := c.page(ctx, "/")
		if err != nil {
			return err
		}
		_, rest, found := strings.Cut(page, `name="product" value="`)
		product, _, closed := strings.Cut(rest, `"`)
		if !found || !closed {
			return errors.New("the page has no products")
		}
		order, err = c.buy(ctx, product)
		return err
	})
	if err != nil {
		return err
	}
	slog.Info("ordered", "page", order)
	return eventually(ctx, func() error {
		page, err := c.page(ctx, order)
		if err != nil {
			return err
		}
		if !strings.Contains(page, `data-state="completed"`) {
			return errors.New("the order is not completed")
		}
		return nil
	})
}

// buy orders a product and returns the path of the order's page.
func (c *Customer) buy(ctx context.Context, product string) (string, error) {
	form := url.Values{"product": {product}, "quantity": {"1"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Storefront+"/orders", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := c.Client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("ordering %s: %s", product, response.Status)
	}
	// The storefront sends the customer on to the order's page.
	return response.Request.URL.Path, nil
}

func (c *Customer) page(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Storefront+path, nil)
	if err != nil {
		return "", err
	}
	response, err := c.Client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return string(body), err
}

// eventually tries until attempt succeeds or ctx ends; then its last error counts.
func eventually(ctx context.Context, attempt func() error) error {
	for {
		err := attempt()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(500 * time.Millisecond):
			slog.Info("trying again", "error", err)
		}
	}
}
