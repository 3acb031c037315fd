// Package report renders the one report model of package verify.
//
// [Text] is for people, [JSON] for programs. Both are deterministic: they depend on
// the report alone, and say nothing that is not in it. A renderer never judges: to
// know whether the policy is met, ask [verify.Report.Err].
package report
