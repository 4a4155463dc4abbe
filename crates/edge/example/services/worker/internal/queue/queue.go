// Package queue is a client for the api's queue.
package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// ErrLost says that somebody else has the message by now, so there is nothing left to do with it.
var ErrLost = errors.New("the message was taken back")

// Message is a message that this worker has.
type Message struct {
	ID       string          `json:"id"`
	Receipt  string          `json:"receipt"`
	Attempts int             `json:"attempts"`
	Body     json.RawMessage `json:"body"`
}

// Client talks to one queue.
type Client struct {
	URL   string // of the queue: http://api:8080/queues/orders
	Token string
	HTTP  *http.Client
}

// Take takes the oldest message; it is nil when none waits.
func (c *Client) Take(ctx context.Context) (*Message, error) {
	var m Message
	code, err := c.post(ctx, "/take", nil, &m)
	if err != nil || code == http.StatusNoContent {
		return nil, err
	}
	return &m, nil
}

// Complete says that the work is done.
func (c *Client) Complete(ctx context.Context, m *Message) error {
	_, err := c.post(ctx, "/"+m.ID+"/complete", map[string]string{"receipt": m.Receipt}, nil)
	return err
}

// Retry gives the message back.
func (c *Client) Retry(ctx context.Context, m *Message, reason string) error {
	_, err := c.post(ctx, "/"+m.ID+"/retry", map[string]string{"receipt": m.Receipt, "reason": reason}, nil)
	return err
}

func (c *Client) post(ctx context.Context, path string, body, into any) (int, error) {
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		reader = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+path, reader)
	if err != nil {
		return 0, err
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusConflict || response.StatusCode == http.StatusNotFound:
		return response.StatusCode, ErrLost
	case response.StatusCode >= 300:
		message, _ := io.ReadAll(io.LimitReader(response.Body, 512))
		return response.StatusCode, fmt.Errorf("%s: %s: %s", request.URL.Path, response.Status, bytes.TrimSpace(message))
	case into == nil || response.StatusCode == http.StatusNoContent:
		return response.StatusCode, nil
	}
	return response.StatusCode, json.NewDecoder(response.Body).Decode(into)
}
