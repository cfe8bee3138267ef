package report

import (
	"encoding/json"
	"io"
	"math"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/source/revision"
)

// These name the schema of the JSON report. In v1, fields are added but never renamed or removed.
const (
	apiVersion = "helmfile-agent.github.io/v1"
	kind       = "Report"
)

type jsonReport struct {
	APIVersion  string            `json:"apiVersion"`
	Kind        string            `json:"kind"`
	Command     string            `json:"command"` // run, diff, access, destroy
	Instance    string            `json:"instance"`
	Namespace   string            `json:"namespace"`
	Environment string            `json:"environment"`
	Source      revision.Revision `json:"source"`
	StartedAt   string            `json:"startedAt"` // RFC 3339, UTC
	Duration    float64           `json:"durationSeconds"`
	Result      string            `json:"result"` // the name of the exit code
	ExitCode    int               `json:"exitCode"`
	Error       string            `json:"error,omitempty"` // the error that ended the run early
	Summary     string            `json:"summary"`
	Warnings    []string          `json:"warnings"`
	Confined    string            `json:"confined,omitempty"` // how the kernel confined the process that read the repository
	Releases    []jsonRelease     `json:"releases"`           // by namespace and name; every declared and every owned release
	Counts      map[status]int    `json:"counts"`             // the number of releases with each status; every status is listed
	Planned     map[status]int    `json:"planned"`            // the same for releases whose step is not done yet; each release is counted in only one of the two
	Rights      []Right           `json:"rights,omitempty"`   // only for the command access
	Grant       string            `json:"grant,omitempty"`    // YAML that grants the missing rights
	Differs     bool              `json:"differs"`            // whether objects were written or would be; then diff --detailed-exitcode exits with 2
}

type jsonRelease struct {
	Namespace string     `json:"namespace"`
	Name      string     `json:"name"`
	Action    string     `json:"action"`   // install, upgrade, uninstall, correct, drifted, adopt, relabel, unchanged, leave, mark, prune, orphan, hold, refuse
	Result    string     `json:"result"`   // done, failed, skipped, planned
	Revision  int        `json:"revision"` // the newest revision; 0 when there is none
	Chart     jsonChart  `json:"chart"`
	Previous  *jsonChart `json:"previousChart,omitempty"` // the chart of the stored revision, if it differs
	Why       string     `json:"why"`
	Error     string     `json:"error,omitempty"`
	File      string     `json:"file,omitempty"` // the state file that declares the release
	Mark      *jsonMark  `json:"mark,omitempty"` // only for releases that are no longer declared
	Duration  float64    `json:"durationSeconds"`
}

type jsonMark struct {
	Since  time.Time `json:"since"`
	Commit string    `json:"commit"`
	Runs   int       `json:"runs"` // the earlier runs that found it undeclared
}

type jsonChart struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// WriteJSON writes the report for programs: one object on one line, because log collectors read line by line.
func (r Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // an escaped & in a credential would prevent masking
	return encoder.Encode(r.json())
}

func (r Report) json() jsonReport {
	releases := make([]jsonRelease, 0, len(r.Outcomes))
	for _, o := range r.sorted() {
		releases = append(releases, r.jsonRelease(o))
	}
	done, planned := r.counts()
	return jsonReport{
		APIVersion:  apiVersion,
		Kind:        kind,
		Command:     r.Command,
		Instance:    r.Instance,
		Namespace:   r.Namespace,
		Environment: r.Environment,
		Source:      r.Source,
		StartedAt:   r.Started.UTC().Format(time.RFC3339),
		Duration:    seconds(r.Took),
		Result:      r.Code().String(),
		ExitCode:    int(r.Code()),
		Error:       message(r.Err),
		Summary:     r.Summary(),
		Warnings:    append([]string{}, r.Warnings...),
		Confined:    r.Confined,
		Releases:    releases,
		Counts:      done,
		Planned:     planned,
		Rights:      r.Rights,
		Grant:       r.Grant,
		Differs:     r.Differs(),
	}
}

func (r Report) jsonRelease(o apply.Outcome) jsonRelease {
	out := jsonRelease{
		Namespace: o.Namespace,
		Name:      o.Name,
		Action:    string(o.Verb),
		Result:    r.result(o),
		Revision:  r.revision(o),
		Chart:     jsonChartOf(chartOf(o)),
		Previous:  previousChart(o),
		Why:       o.Why,
		Error:     message(o.Err),
		Duration:  seconds(o.Took),
	}
	if hasError(o) {
		out.Error = r.reason(o)
	}
	if mark := o.Mark; mark != nil && o.Want == nil {
		out.Mark = &jsonMark{mark.Since, mark.Commit, mark.Runs}
	}
	if o.Want != nil {
		out.File = o.Want.File
	}
	return out
}

// result agrees with the exit code: a refused release has failed, also in a diff.
func (r Report) result(o apply.Outcome) string {
	switch {
	case o.Verb == plan.Refuse:
		return string(apply.Failed)
	case r.planned(o):
		return "planned"
	default:
		return string(o.Result)
	}
}

func jsonChartOf(chart release.ChartVersion) jsonChart {
	return jsonChart{Name: chart.Name, Version: chart.Version}
}

func previousChart(o apply.Outcome) *jsonChart {
	if o.Have == nil {
		return nil
	}
	previous := jsonChartOf(o.Have.Chart)
	if previous == jsonChartOf(chartOf(o)) {
		return nil
	}
	return &previous
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// seconds rounds to milliseconds.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }
