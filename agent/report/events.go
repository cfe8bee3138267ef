package report

import (
	"fmt"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/report/internal/sanitize"
)

// eventLimit is the maximum length of the message of an Event in Kubernetes.
const eventLimit = 1024

// reasons has the reason of the Event for each status. A status that is not listed gets no Event, because nothing has changed.
var reasons = map[status]string{
	install: "Installed", upgrade: "Upgraded", uninstall: "Uninstalled", adopt: "Adopted", correct: "DriftCorrected", drifted: "Drifted",
	mark: "PruneMarked", prune: "Pruned", hold: "PruneRefused",
	failed: "Failed", refused: "Refused",
}

// Events lists the changes of the run as Events.
func (r Report) Events() []release.Event {
	var events []release.Event
	for _, o := range r.sorted() {
		reason, hasEvent := reasons[statusOf(o)]
		if onlyUnmarked(o) {
			reason, hasEvent = "PruneUnmarked", true
		}
		if !hasEvent {
			continue
		}
		message := fmt.Sprintf("%s: %s", r.statusWord(o), r.reason(o))
		events = append(events, release.Event{
			Key: o.Key, Revision: r.revision(o), Warning: hasError(o) || held(o),
			Reason: reason, Message: sanitize.Cut(sanitize.RemoveControls(message), eventLimit),
		})
	}
	return events
}

// onlyUnmarked says that the release is declared again, and that nothing else was changed.
func onlyUnmarked(o apply.Outcome) bool {
	return o.Mark != nil && o.Want != nil && (statusOf(o) == unchanged || untouched(o))
}
