// Package catalogue is what shop sells.
package catalogue

import (
	"encoding/json"
	"fmt"
	"os"
)

// Product is one thing to buy. Price is in the smallest unit of the currency.
type Product struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Price int    `json:"price"`
	Text  string `json:"text"`
}

// Catalogue is a list of products in the order in which they are shown.
type Catalogue struct {
	Products []Product `json:"products"`
}

// Load reads a catalogue from a JSON file.
func Load(path string) (Catalogue, error) {
	var c Catalogue
	contents, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(contents, &c); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	seen := map[string]bool{}
	for _, p := range c.Products {
		if p.ID == "" || p.Price < 0 || seen[p.ID] {
			return c, fmt.Errorf("%s: product %q needs an id of its own and a price", path, p.ID)
		}
		seen[p.ID] = true
	}
	return c, nil
}

// Get finds a product.
func (c Catalogue) Get(id string) (Product, bool) {
	for _, p := range c.Products {
		if p.ID == id {
			return p, true
		}
	}
	return Product{}, false
}
