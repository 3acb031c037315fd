package assay

// TestResult is the outcome of a test run (in-toto test-result v0.1).
type TestResult struct {
	// Result is "PASSED", "WARNED" or "FAILED".
	Result        string     `json:"result"`
	Configuration []Resource `json:"configuration"`
	URL           string     `json:"url,omitempty"`
	PassedTests   []string   `json:"passedTests,omitempty"`
	WarnedTests   []string   `json:"warnedTests,omitempty"`
	FailedTests   []string   `json:"failedTests,omitempty"`
}
