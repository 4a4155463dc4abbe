// Package metrics counts requests and prints what it counted in Prometheus' text format.
package metrics

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// buckets are the upper bounds of request durations, in seconds.
var buckets = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5}

// Registry holds the counters of one service.
type Registry struct {
	mutex    sync.Mutex
	service  string
	requests map[[2]string]int // by route and code
	timings  map[string]*timing
	gauges   []func(io.Writer)
}

type timing struct {
	counts []int
	sum    float64
	count  int
}

// New makes a registry.
func New(service string) *Registry {
	return &Registry{service: service, requests: map[[2]string]int{}, timings: map[string]*timing{}}
}

// Collect adds metrics that are read when asked for; write prints whole lines.
func (r *Registry) Collect(write func(io.Writer)) { r.gauges = append(r.gauges, write) }

// Measure counts the requests that next answers, by the pattern that matched.
func (r *Registry) Measure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		start := time.Now()
		recorder := &recorder{ResponseWriter: w, code: http.StatusOK}
		next.ServeHTTP(recorder, request)
		route := request.Pattern
		if route == "" {
			route = "none"
		}
		r.observe(route, recorder.code, time.Since(start).Seconds())
	})
}

func (r *Registry) observe(route string, code int, seconds float64) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.requests[[2]string{route, fmt.Sprint(code)}]++
	t := r.timings[route]
	if t == nil {
		t = &timing{counts: make([]int, len(buckets))}
		r.timings[route] = t
	}
	for i, bound := range buckets {
		if seconds <= bound {
			t.counts[i]++
		}
	}
	t.sum += seconds
	t.count++
}

// ServeHTTP prints everything.
func (r *Registry) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	fmt.Fprintln(w, "# TYPE http_requests_total counter")
	keys := make([][2]string, 0, len(r.requests))
	for key := range r.requests {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
	for _, key := range keys {
		fmt.Fprintf(w, "http_requests_total{service=%q,route=%q,code=%q} %d\n", r.service, key[0], key[1], r.requests[key])
	}
	fmt.Fprintln(w, "# TYPE http_request_duration_seconds histogram")
	routes := make([]string, 0, len(r.timings))
	for route := range r.timings {
		routes = append(routes, route)
	}
	slices.Sort(routes)
	for _, route := range routes {
		t := r.timings[route]
		labels := fmt.Sprintf("service=%q,route=%q", r.service, route)
		for i, bound := range buckets {
			fmt.Fprintf(w, "http_request_duration_seconds_bucket{%s,le=\"%g\"} %d\n", labels, bound, t.counts[i])
		}
		fmt.Fprintf(w, "http_request_duration_seconds_bucket{%s,le=\"+Inf\"} %d\n", labels, t.count)
		fmt.Fprintf(w, "http_request_duration_seconds_sum{%s} %g\n", labels, t.sum)
		fmt.Fprintf(w, "http_request_duration_seconds_count{%s} %d\n", labels, t.count)
	}
	for _, write := range r.gauges {
		write(w)
	}
}

type recorder struct {
	http.ResponseWriter
	code int
}

func (r *recorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}
