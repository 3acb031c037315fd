package main

import "time"

// when is a time as it is printed; one that is not known says so.
func when(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.UTC().Format(time.RFC3339)
}
