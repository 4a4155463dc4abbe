package work

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Order is what a customer has bought.
type Order struct {
	Lines []struct {
		Product  string `json:"product"`
		Quantity int    `json:"quantity"`
	} `json:"lines"`
	Total    int    `json:"total"`
	Currency string `json:"currency"`
}

// packing is how long it takes to pack one line.
const packing = 200 * time.Millisecond

// Pack completes an order: the part that a real company would spend most of its code on.
func Pack(ctx context.Context, body json.RawMessage) error {
	var order Order
	if err := json.Unmarshal(body, &order); err != nil {
		return fmt.Errorf("the order can't be read: %w", err)
	}
	if len(order.Lines) == 0 {
		return errors.New("the order is empty")
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(packing * time.Duration(len(order.Lines))):
		return nil
	}
}
