package catalogue

import (
	"os"
	"path/filepath"
	"testing"
)

func load(t *testing.T, contents string) (Catalogue, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "catalogue.json")
	if err := os.WriteFile(path, []byte(contents), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}

func TestLoad(t *testing.T) {
	c, err := load(t, `{"products": [{"id": "beans", "name": "House beans", "price": 1450}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if p, found := c.Get("beans"); !found || p.Price != 1450 {
		t.Errorf("got %+v", p)
	}
	if _, found := c.Get("tea"); found {
		t.Error("found tea")
	}
}

func TestLoadRefusesDuplicates(t *testing.T) {
	if _, err := load(t, `{"products": [{"id": "beans"}, {"id": "beans"}]}`); err == nil {
		t.Error("no error")
	}
}
