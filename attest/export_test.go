package attest

// Peek is for fuzzing.
var Peek = peek
