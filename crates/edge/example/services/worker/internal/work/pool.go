// Package work takes orders from the queue and completes them, several at a time.
package work

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"shop.example.com/worker/internal/queue"
)

// Queue is where messages come from.
type Queue interface {
	Take(ctx context.Context) (*queue.Message, error)
	Complete(ctx context.Context, m *queue.Message) error
	Retry(ctx context.Context, m *queue.Message, reason string) error
}

// Pool is a number of workers.
type Pool struct {
	Queue       Queue
	Do          func(ctx context.Context, body json.RawMessage) error
	Concurrency int
	// Poll is how long to wait when the queue is empty or does not answer.
	Poll time.Duration
	// Timeout is how long one message may take, also while the process stops.
	Timeout time.Duration

	busy, completed, retried, lost atomic.Int64
	reached                        atomic.Bool
}

// Ready is an error until the queue has answered.
func (p *Pool) Ready() error {
	if !p.reached.Load() {
		return errors.New("the queue has not answered yet")
	}
	return nil
}

// Run works until ctx ends and the messages at hand are finished.
func (p *Pool) Run(ctx context.Context) {
	var workers sync.WaitGroup
	for range p.Concurrency {
		workers.Add(1)
		go func() {
			defer workers.Done()
			p.work(ctx)
		}()
	}
	workers.Wait()
}

func (p *Pool) work(ctx context.Context) {
	for ctx.Err() == nil {
		m, err := p.Queue.Take(ctx)
		if err == nil {
			p.reached.Store(true)
		} else if ctx.Err() == nil {
			slog.Warn("the queue does not answer", "error", err)
		}
		if m != nil {
			p.finish(m)
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(p.Poll):
		}
	}
}

// finish does the work of one message. It does not end with the process: what was taken is finished.
func (p *Pool) finish(m *queue.Message) {
	p.busy.Add(1)
	defer p.busy.Add(-1)
	ctx, cancel := context.WithTimeout(context.Background(), p.Timeout)
	defer cancel()
	log := slog.With("order", m.ID, "attempt", m.Attempts)

	failure := p.Do(ctx, m.Body)
	var err error
	if failure == nil {
		err = p.Queue.Complete(ctx, m)
	} else {
		log.Warn("order failed", "error", failure)
		err = p.Queue.Retry(context.WithoutCancel(ctx), m, failure.Error())
	}
	switch {
	case errors.Is(err, queue.ErrLost):
		p.lost.Add(1)
		log.Warn("order took too long")
	case err != nil:
		p.lost.Add(1)
		log.Error("the queue does not take the outcome; it will hand the order out again", "error", err)
	case failure != nil:
		p.retried.Add(1)
	default:
		p.completed.Add(1)
		log.Info("order completed")
	}
}

// Metrics prints the pool's numbers for Prometheus.
func (p *Pool) Metrics(w io.Writer) {
	fmt.Fprintf(w, "# TYPE worker_concurrency gauge\nworker_concurrency %d\n", p.Concurrency)
	fmt.Fprintf(w, "# TYPE worker_busy gauge\nworker_busy %d\n", p.busy.Load())
	fmt.Fprintln(w, "# TYPE worker_orders_total counter")
	fmt.Fprintf(w, "worker_orders_total{outcome=\"completed\"} %d\n", p.completed.Load())
	fmt.Fprintf(w, "worker_orders_total{outcome=\"retried\"} %d\n", p.retried.Load())
	fmt.Fprintf(w, "worker_orders_total{outcome=\"lost\"} %d\n", p.lost.Load())
}
