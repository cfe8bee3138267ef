package report

import (
	"fmt"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// eventLimit is what Kubernetes allows for an Event's message.
const eventLimit = 1024

// reasons are the fates that are worth an Event, with its reason. What is as it was is worth none.
var reasons = map[fate]string{
	install: "Installed", upgrade: "Upgraded", uninstall: "Uninstalled", adopt: "Adopted", correct: "DriftCorrected", drifted: "Drifted",
	mark: "PruneMarked", prune: "Pruned", hold: "PruneRefused",
	failed: "Failed", refused: "Refused",
}

// Events are what the run did, for those who watch the cluster.
func (r Report) Events() []release.Event {
	var events []release.Event
	for _, o := range r.sorted() {
		reason, worth := reasons[fateOf(o)]
		if unmarked(o) {
			reason, worth = "PruneUnmarked", true
		}
		if !worth {
			continue
		}
		message := fmt.Sprintf("%s: %s", r.word(o), r.reason(o))
		events = append(events, release.Event{
			Key: o.Key, Revision: r.revision(o), Warning: broken(o) || held(o),
			Reason: reason, Message: cut(clean(message), eventLimit),
		})
	}
	return events
}

// unmarked releases are declared again, and nothing else happened to them.
func unmarked(o apply.Outcome) bool {
	return o.Mark != nil && o.Want != nil && (fateOf(o) == unchanged || leftAlone(o))
}
