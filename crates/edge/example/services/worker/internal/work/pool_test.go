package work

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"shop.example.com/worker/internal/queue"
)

// memory is a queue that ends the test's context when everything is finished.
type memory struct {
	mutex     sync.Mutex
	waiting   []*queue.Message
	completed []string
	retried   []string
	want      int
	stop      context.CancelFunc
}

func (q *memory) Take(context.Context) (*queue.Message, error) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if len(q.waiting) == 0 {
		return nil, nil
	}
	m := q.waiting[0]
	q.waiting = q.waiting[1:]
	return m, nil
}

func (q *memory) Complete(_ context.Context, m *queue.Message) error {
	return q.finish(&q.completed, m)
}

func (q *memory) Retry(_ context.Context, m *queue.Message, _ string) error {
	return q.finish(&q.retried, m)
}

func (q *memory) finish(list *[]string, m *queue.Message) error {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	*list = append(*list, m.ID)
	if q.want--; q.want == 0 {
		q.stop()
	}
	return nil
}

func TestEveryMessageIsFinished(t *testing.T) {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	q := &memory{want: 3, stop: stop}
	for _, id := range []string{"good", "bad", "fine"} {
		q.waiting = append(q.waiting, &queue.Message{ID: id, Body: json.RawMessage(`"` + id + `"`)})
	}
	pool := &Pool{
		Queue:       q,
		Concurrency: 2,
		Poll:        time.Millisecond,
		Timeout:     time.Second,
		Do: func(_ context.Context, body json.RawMessage) error {
			if strings.Contains(string(body), "bad") {
				return errors.New("no stock")
			}
			return nil
		},
	}
	if pool.Ready() == nil {
		t.Error("ready before the queue answered")
	}
	pool.Run(ctx)
	if len(q.completed) != 2 || len(q.retried) != 1 || q.retried[0] != "bad" {
		t.Errorf("completed %v, retried %v", q.completed, q.retried)
	}
	if err := pool.Ready(); err != nil {
		t.Error(err)
	}
	var numbers strings.Builder
	pool.Metrics(&numbers)
	if !strings.Contains(numbers.String(), `worker_orders_total{outcome="completed"} 2`) {
		t.Error(numbers.String())
	}
}

func TestPack(t *testing.T) {
	for body, good := range map[string]bool{
		`{"lines": [{"product": "beans", "quantity": 1}]}`: true,
		`{"lines": []}`: false,
		`nonsense`:      false,
	} {
		if err := Pack(context.Background(), json.RawMessage(body)); (err == nil) != good {
			t.Errorf("%s: %v", body, err)
		}
	}
}
