// Package operator carries the settings of Queue resources to the services that keep the queues, and the queues'
// numbers back to the resources. It looks at everything anew each time, so it needs no state and misses nothing.
package operator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"
)

// Operator reconciles queues.
type Operator struct {
	Kubernetes *Kubernetes
	// Services is the client for the services that keep queues.
	Services *http.Client
	// Address says where a queue's service is.
	Address func(Queue) string
	Now     func() time.Time

	reached atomic.Bool
}

// ServiceAddress is where a queue's service is inside a cluster.
func ServiceAddress(q Queue) string {
	return fmt.Sprintf("http://%s.%s:%d", q.Spec.Service.Name, q.Metadata.Namespace, q.Spec.Service.Port)
}

// Ready is an error until the API server has answered.
func (o *Operator) Ready() error {
	if !o.reached.Load() {
		return errors.New("the API server has not answered yet")
	}
	return nil
}

// Run reconciles every interval until ctx ends.
func (o *Operator) Run(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if err := o.Reconcile(ctx); err != nil && ctx.Err() == nil {
			slog.Error("queues can't be listed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Reconcile looks at every queue once.
func (o *Operator) Reconcile(ctx context.Context) error {
	queues, err := o.Kubernetes.Queues(ctx)
	if err != nil {
		return err
	}
	o.reached.Store(true)
	for _, q := range queues {
		status := o.reconcile(ctx, q)
		if same(q.Status, status) {
			continue
		}
		if err := o.Kubernetes.WriteStatus(ctx, q, status); err != nil {
			slog.Error("status can't be written", "namespace", q.Metadata.Namespace, "queue", q.Metadata.Name, "error", err)
		}
	}
	return nil
}

// reconcile configures one queue and returns its status.
func (o *Operator) reconcile(ctx context.Context, q Queue) Status {
	url := o.Address(q) + "/queues/" + q.Metadata.Name
	settings := map[string]any{"maxAttempts": q.Spec.MaxAttempts, "visibilityTimeout": q.Spec.VisibilityTimeout}
	var numbers struct{ Depth, InFlight int }
	err := exchange(ctx, o.Services, http.MethodPut, url, nil, settings, nil)
	if err == nil {
		err = exchange(ctx, o.Services, http.MethodGet, url, nil, nil, &numbers)
	}
	condition := Condition{Type: "Ready", Status: "True", Reason: "Configured", Message: "the service keeps the queue as specified"}
	if err != nil {
		slog.Warn("queue is not ready", "namespace", q.Metadata.Namespace, "queue", q.Metadata.Name, "error", err)
		condition.Status, condition.Reason, condition.Message = "False", "ServiceFails", err.Error()
		numbers.Depth, numbers.InFlight = q.Status.Depth, q.Status.InFlight
	}
	condition.ObservedGeneration = q.Metadata.Generation
	condition.LastTransitionTime = o.Now().UTC().Truncate(time.Second)
	for _, before := range q.Status.Conditions {
		if before.Type == condition.Type && before.Status == condition.Status {
			condition.LastTransitionTime = before.LastTransitionTime
		}
	}
	return Status{
		ObservedGeneration: q.Metadata.Generation,
		Depth:              numbers.Depth,
		InFlight:           numbers.InFlight,
		Conditions:         []Condition{condition},
	}
}

// same is true when there is nothing to write.
func same(a, b Status) bool {
	if a.ObservedGeneration != b.ObservedGeneration || a.Depth != b.Depth || a.InFlight != b.InFlight ||
		len(a.Conditions) != len(b.Conditions) {
		return false
	}
	for i := range a.Conditions {
		if a.Conditions[i] != b.Conditions[i] {
			return false
		}
	}
	return true
}
