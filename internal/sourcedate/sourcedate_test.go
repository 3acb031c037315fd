package sourcedate_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/sourcedate"
)

func TestEpoch(t *testing.T) {
	for value, want := range map[string]time.Time{
		"":             {},
		"0":            time.Unix(0, 0).UTC(),
		"1700000000":   time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC),
		"253402300799": time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		t.Setenv("SOURCE_DATE_EPOCH", value)
		if got, err := sourcedate.Epoch(); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%q: got %v, %v", value, got, err)
		}
	}
	for _, value := range []string{"-1", "253402300800", "1e9", "2023-11-14", " 1", "99999999999999999999"} {
		t.Setenv("SOURCE_DATE_EPOCH", value)
		_, err := sourcedate.Epoch()
		if !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
			t.Errorf("%q: got %v", value, err)
		}
	}
}
