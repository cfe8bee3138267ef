// Package sanitize makes texts from charts, commits and errors safe for a terminal and short enough for a report.
//
// It imports no other package of the agent.
package sanitize
