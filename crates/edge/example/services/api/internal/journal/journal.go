// Package journal keeps a sequence of records in a file that is only ever appended to: one line of JSON a record.
// A record is on disk before Append returns, and a line that a crash cut short is dropped when the file is opened.
package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Journal is an open file of records. It is not safe for concurrent use: whoever owns it has a lock anyway.
type Journal[T any] struct {
	file *os.File
	size int64
}

// Open opens the file, making it if needed, and hands each record in it to replay, oldest first.
func Open[T any](path string, replay func(T) error) (*Journal[T], error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	j := &Journal[T]{file: file}
	if err := j.read(replay); err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return j, nil
}

func (j *Journal[T]) read(replay func(T) error) error {
	reader := bufio.NewReader(j.file)
	for number := 1; ; number++ {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break // An unfinished line was never acknowledged to anybody.
		}
		if err != nil {
			return err
		}
		var record T
		if err := json.Unmarshal(bytes.TrimSpace(line), &record); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if err := replay(record); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		j.size += int64(len(line))
	}
	return j.cut()
}

// cut drops whatever follows the last whole record.
func (j *Journal[T]) cut() error {
	if err := j.file.Truncate(j.size); err != nil {
		return err
	}
	_, err := j.file.Seek(j.size, io.SeekStart)
	return err
}

// Append writes a record and waits until it is on disk.
func (j *Journal[T]) Append(record T) error {
	line, err := json.Marshal(record)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	_, err = j.file.Write(line)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return errors.Join(err, j.cut())
	}
	j.size += int64(len(line))
	return nil
}

// Close closes the file.
func (j *Journal[T]) Close() error { return j.file.Close() }
