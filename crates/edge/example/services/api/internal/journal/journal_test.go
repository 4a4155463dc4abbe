package journal

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func open(t *testing.T, path string) (*Journal[string], []string) {
	t.Helper()
	var records []string
	j, err := Open(path, func(record string) error {
		records = append(records, record)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j, records
}

func TestRecordsSurviveReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "journal")
	j, _ := open(t, path)
	for _, record := range []string{"one", "two"} {
		if err := j.Append(record); err != nil {
			t.Fatal(err)
		}
	}
	if _, records := open(t, path); !slices.Equal(records, []string{"one", "two"}) {
		t.Errorf("got %v", records)
	}
}

func TestUnfinishedLineIsDropped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	if err := os.WriteFile(path, []byte("\"one\"\n\"tw"), 0o600); err != nil {
		t.Fatal(err)
	}
	j, records := open(t, path)
	if !slices.Equal(records, []string{"one"}) {
		t.Errorf("got %v", records)
	}
	if err := j.Append("three"); err != nil {
		t.Fatal(err)
	}
	if _, records := open(t, path); !slices.Equal(records, []string{"one", "three"}) {
		t.Errorf("got %v", records)
	}
}

func TestBrokenLineIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	if err := os.WriteFile(path, []byte("\"one\"\nnonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path, func(string) error { return nil })
	if err == nil {
		t.Fatal("no error")
	}
}
