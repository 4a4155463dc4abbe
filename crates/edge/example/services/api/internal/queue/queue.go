// Package queue is a small durable queue. A message is put once, taken by one worker at a time, and either completed
// or tried again until its attempts are used up. What happened to a message is in a journal; who has it at the moment
// is not, so after a restart unfinished messages are simply taken again.
package queue

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"shop.example.com/api/internal/journal"
)

// State is where a message is in its life.
type State string

// The states of a message.
const (
	Queued     State = "queued"
	Processing State = "processing"
	Completed  State = "completed"
	Failed     State = "failed"
)

// Errors that callers tell apart.
var (
	ErrUnknown = errors.New("there is no such message")
	ErrNotHeld = errors.New("the receipt is not valid any more: the message was finished, or its time ran out")
)

// Settings say how messages are treated.
type Settings struct {
	MaxAttempts       int
	VisibilityTimeout time.Duration
}

// Defaults hold until somebody configures the queue.
var Defaults = Settings{MaxAttempts: 5, VisibilityTimeout: 30 * time.Second}

// Message is one unit of work.
type Message struct {
	ID       string          `json:"id"`
	Body     json.RawMessage `json:"body"`
	State    State           `json:"state"`
	Attempts int             `json:"attempts"`
	Reason   string          `json:"reason,omitempty"`
	PutAt    time.Time       `json:"putAt"`

	receipt string
	until   time.Time
}

// Stats describe the queue at one moment.
type Stats struct {
	Depth     int           `json:"depth"`
	InFlight  int           `json:"inFlight"`
	Completed int           `json:"completed"`
	Failed    int           `json:"failed"`
	Retried   int           `json:"retried"`
	Oldest    time.Duration `json:"-"`
}

// Queue is safe for concurrent use.
type Queue struct {
	mutex    sync.Mutex
	journal  *journal.Journal[event]
	messages map[string]*Message
	waiting  []string // oldest first; messages that were finished meanwhile are skipped
	settings Settings
	stats    Stats // only what is counted rather than derived
	now      func() time.Time
}

// event is what the journal holds.
type event struct {
	Kind   string          `json:"kind"`
	ID     string          `json:"id"`
	At     time.Time       `json:"at"`
	Body   json.RawMessage `json:"body,omitempty"`
	Reason string          `json:"reason,omitempty"`
}

// Open opens the queue that is kept in the file at path.
func Open(path string, now func() time.Time) (*Queue, error) {
	q := &Queue{messages: map[string]*Message{}, settings: Defaults, now: now}
	j, err := journal.Open(path, q.replay)
	if err != nil {
		return nil, err
	}
	q.journal = j
	return q, nil
}

// Close closes the file.
func (q *Queue) Close() error {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	return q.journal.Close()
}

// Configure changes the settings.
func (q *Queue) Configure(settings Settings) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.settings = settings
}

// Settings returns the settings.
func (q *Queue) Settings() Settings {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	return q.settings
}

// Put adds a message.
func (q *Queue) Put(body json.RawMessage) (Message, error) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	e := event{Kind: "put", ID: rand.Text()[:12], At: q.now().UTC(), Body: body}
	if err := q.record(e); err != nil {
		return Message{}, err
	}
	return *q.messages[e.ID], nil
}

// Take gives the oldest waiting message to the caller, with a receipt to finish it by. It is false when none waits.
func (q *Queue) Take() (Message, string, bool) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.expire()
	for len(q.waiting) > 0 {
		m := q.messages[q.waiting[0]]
		q.waiting = q.waiting[1:]
		if m.State != Queued {
			continue
		}
		m.State = Processing
		m.Attempts++
		m.receipt = rand.Text()
		m.until = q.now().Add(q.settings.VisibilityTimeout)
		return *m, m.receipt, true
	}
	return Message{}, "", false
}

// Complete finishes a message that the caller has.
func (q *Queue) Complete(id, receipt string) error {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if _, err := q.held(id, receipt); err != nil {
		return err
	}
	return q.record(event{Kind: "completed", ID: id, At: q.now().UTC()})
}

// Retry gives a message back, to be tried again or, after the last attempt, to be put aside.
func (q *Queue) Retry(id, receipt, reason string) error {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	m, err := q.held(id, receipt)
	if err != nil {
		return err
	}
	return q.giveBack(m, reason)
}

// Get returns a message by its id.
func (q *Queue) Get(id string) (Message, error) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	m, found := q.messages[id]
	if !found {
		return Message{}, ErrUnknown
	}
	return *m, nil
}

// Stats counts.
func (q *Queue) Stats() Stats {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.expire()
	stats := q.stats
	for _, m := range q.messages {
		switch m.State {
		case Queued:
			stats.Depth++
			stats.Oldest = max(stats.Oldest, q.now().Sub(m.PutAt))
		case Processing:
			stats.InFlight++
		}
	}
	return stats
}

func (q *Queue) held(id, receipt string) (*Message, error) {
	m, found := q.messages[id]
	if !found {
		return nil, ErrUnknown
	}
	if m.State != Processing || m.receipt != receipt {
		return nil, ErrNotHeld
	}
	return m, nil
}

// expire takes messages back from workers that took too long.
func (q *Queue) expire() {
	for _, m := range q.messages {
		if m.State == Processing && q.now().After(m.until) {
			// A journal that can't be written is reported by the next request that needs it.
			_ = q.giveBack(m, "the worker did not answer in time")
		}
	}
}

func (q *Queue) giveBack(m *Message, reason string) error {
	kind := "retried"
	if m.Attempts >= q.settings.MaxAttempts {
		kind = "failed"
	}
	return q.record(event{Kind: kind, ID: m.ID, At: q.now().UTC(), Reason: reason})
}

// record writes an event down, then applies it.
func (q *Queue) record(e event) error {
	if err := q.journal.Append(e); err != nil {
		return err
	}
	return q.apply(e)
}

// replay applies an event of a former life, in which the message was taken before it was finished or given back.
func (q *Queue) replay(e event) error {
	if m, found := q.messages[e.ID]; found {
		m.Attempts++
	}
	return q.apply(e)
}

func (q *Queue) apply(e event) error {
	if e.Kind == "put" {
		q.messages[e.ID] = &Message{ID: e.ID, Body: e.Body, State: Queued, PutAt: e.At}
		q.waiting = append(q.waiting, e.ID)
		return nil
	}
	m, found := q.messages[e.ID]
	if !found {
		return ErrUnknown
	}
	m.Reason = e.Reason
	switch e.Kind {
	case "completed":
		m.State = Completed
		q.stats.Completed++
	case "failed":
		m.State = Failed
		q.stats.Failed++
	case "retried":
		m.State = Queued
		q.stats.Retried++
		q.waiting = append(q.waiting, e.ID)
	default:
		return errors.New("unknown kind of event: " + e.Kind)
	}
	return nil
}
