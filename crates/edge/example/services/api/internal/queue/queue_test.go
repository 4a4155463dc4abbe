package queue

import (
	"errors"
	"path/filepath"
	"testing"
	"time"
)

// clock is a time that moves when told.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func open(t *testing.T, path string) (*Queue, *clock) {
	t.Helper()
	c := &clock{time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)}
	q, err := Open(path, c.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q, c
}

func put(t *testing.T, q *Queue, body string) Message {
	t.Helper()
	m, err := q.Put([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMessagesAreTakenInOrderAndCompletedOnce(t *testing.T) {
	q, _ := open(t, filepath.Join(t.TempDir(), "q"))
	first := put(t, q, `1`)
	put(t, q, `2`)
	m, receipt, ok := q.Take()
	if !ok || m.ID != first.ID || m.Attempts != 1 {
		t.Fatalf("took %+v", m)
	}
	if err := q.Complete(m.ID, "wrong"); !errors.Is(err, ErrNotHeld) {
		t.Errorf("got %v", err)
	}
	if err := q.Complete(m.ID, receipt); err != nil {
		t.Error(err)
	}
	if err := q.Complete(m.ID, receipt); !errors.Is(err, ErrNotHeld) {
		t.Errorf("got %v", err)
	}
	if stats := q.Stats(); stats.Depth != 1 || stats.Completed != 1 || stats.InFlight != 0 {
		t.Errorf("got %+v", stats)
	}
}

func TestAttemptsAreUsedUp(t *testing.T) {
	q, _ := open(t, filepath.Join(t.TempDir(), "q"))
	q.Configure(Settings{MaxAttempts: 2, VisibilityTimeout: time.Second})
	put(t, q, `1`)
	for range 2 {
		m, receipt, ok := q.Take()
		if !ok {
			t.Fatal("nothing to take")
		}
		if err := q.Retry(m.ID, receipt, "no stock"); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, ok := q.Take(); ok {
		t.Error("took a failed message")
	}
	if stats := q.Stats(); stats.Failed != 1 || stats.Retried != 1 {
		t.Errorf("got %+v", stats)
	}
}

func TestSlowWorkerLosesItsMessage(t *testing.T) {
	q, c := open(t, filepath.Join(t.TempDir(), "q"))
	put(t, q, `1`)
	m, receipt, _ := q.Take()
	if _, _, ok := q.Take(); ok {
		t.Fatal("took a message that somebody has")
	}
	c.Time = c.Add(Defaults.VisibilityTimeout + time.Second)
	again, _, ok := q.Take()
	if !ok || again.ID != m.ID || again.Attempts != 2 {
		t.Fatalf("took %+v", again)
	}
	if err := q.Complete(m.ID, receipt); !errors.Is(err, ErrNotHeld) {
		t.Errorf("got %v", err)
	}
}

func TestUnfinishedMessagesSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "q")
	q, _ := open(t, path)
	done, waiting := put(t, q, `1`), put(t, q, `2`)
	m, receipt, _ := q.Take()
	if err := q.Complete(m.ID, receipt); err != nil {
		t.Fatal(err)
	}
	q.Take() // and the process dies

	q, _ = open(t, path)
	if m, err := q.Get(done.ID); err != nil || m.State != Completed || m.Attempts != 1 {
		t.Errorf("got %+v, %v", m, err)
	}
	if m, _, ok := q.Take(); !ok || m.ID != waiting.ID {
		t.Errorf("took %+v", m)
	}
}
