package operator

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Queue is the resource, as far as the operator needs it.
type Queue struct {
	Metadata struct {
		Name       string `json:"name"`
		Namespace  string `json:"namespace"`
		Generation int64  `json:"generation"`
	} `json:"metadata"`
	Spec struct {
		Service struct {
			Name string `json:"name"`
			Port int    `json:"port"`
		} `json:"service"`
		MaxAttempts       int    `json:"maxAttempts"`
		VisibilityTimeout string `json:"visibilityTimeout"`
	} `json:"spec"`
	Status Status `json:"status"`
}

// Status is what the operator reports.
type Status struct {
	ObservedGeneration int64       `json:"observedGeneration"`
	Depth              int         `json:"depth"`
	InFlight           int         `json:"inFlight"`
	Conditions         []Condition `json:"conditions"`
}

// Condition is a Kubernetes condition.
type Condition struct {
	Type               string    `json:"type"`
	Status             string    `json:"status"`
	Reason             string    `json:"reason"`
	Message            string    `json:"message"`
	ObservedGeneration int64     `json:"observedGeneration"`
	LastTransitionTime time.Time `json:"lastTransitionTime"`
}

// Kubernetes is a client for the API server, with the three calls that are needed.
type Kubernetes struct {
	URL    string
	Client *http.Client
	// Token is asked for each time, because the kubelet replaces it.
	Token func() (string, error)
}

const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

// InCluster makes the client of a pod.
func InCluster() (*Kubernetes, error) {
	host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	if host == "" {
		return nil, errors.New("the operator runs in a cluster: KUBERNETES_SERVICE_HOST is not set")
	}
	authority, err := os.ReadFile(filepath.Join(serviceAccount, "ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, errors.New("the service account's ca.crt holds no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	return &Kubernetes{
		URL:    "https://" + net.JoinHostPort(host, port),
		Client: &http.Client{Transport: transport, Timeout: 10 * time.Second},
		Token: func() (string, error) {
			token, err := os.ReadFile(filepath.Join(serviceAccount, "token"))
			return strings.TrimSpace(string(token)), err
		},
	}, nil
}

// Queues lists the queues of every namespace.
func (k *Kubernetes) Queues(ctx context.Context) ([]Queue, error) {
	var list struct {
		Items []Queue `json:"items"`
	}
	err := k.call(ctx, http.MethodGet, "/apis/shop.example.com/v1/queues", nil, &list)
	return list.Items, err
}

// WriteStatus replaces what the status of a queue says.
func (k *Kubernetes) WriteStatus(ctx context.Context, q Queue, status Status) error {
	path := fmt.Sprintf("/apis/shop.example.com/v1/namespaces/%s/queues/%s/status", q.Metadata.Namespace, q.Metadata.Name)
	return k.call(ctx, http.MethodPatch, path, map[string]any{"status": status}, nil)
}

func (k *Kubernetes) call(ctx context.Context, method, path string, body, into any) error {
	token, err := k.Token()
	if err != nil {
		return err
	}
	header := http.Header{"Authorization": {"Bearer " + token}}
	if method == http.MethodPatch {
		header.Set("Content-Type", "application/merge-patch+json")
	}
	return exchange(ctx, k.Client, method, k.URL+path, header, body, into)
}

// exchange sends body as JSON and reads the answer into into; both may be nil.
func exchange(ctx context.Context, c *http.Client, method, url string, header http.Header, body, into any) error {
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, url, reader)
	if err != nil {
		return err
	}
	if header != nil {
		request.Header = header
	}
	response, err := c.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		message, _ := io.ReadAll(io.LimitReader(response.Body, 512))
		return fmt.Errorf("%s %s: %s: %s", method, request.URL.Path, response.Status, bytes.TrimSpace(message))
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(into)
}
