package plan

import (
	"cmp"
	"fmt"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// withServerSide says in the release whether it may be taken over from Helm 4: its label counts before the policy.
func (p planner) withServerSide(want *release.Desired) *release.Desired {
	adopt := p.policy.AdoptServerSide
	if label := want.Labels[release.AdoptServerSideLabel]; label != "" {
		adopt = label == "true"
	}
	if !adopt {
		return want
	}
	adopted := *want
	adopted.AdoptServerSide = true
	return &adopted
}

func validAdoptLabel(want release.Desired) bool {
	label := want.Labels[release.AdoptServerSideLabel]
	return label == "" || label == "true" || label == "false"
}

// decideServerSide chooses the verb for a release whose newest revision a Helm 4 client applied server-side. Taking it over makes a revision even if
// no object differs, so that its record says how the release is applied from now on.
func (p planner) decideServerSide(s Step) (Verb, string) {
	if !s.Want.AdoptServerSide {
		return Refuse, release.ServerSideRefusal(s.Have.Revision)
	}
	if p.mayBeInUse(*s.Have, s.Want.Options) {
		return Refuse, p.inUseReason(*s.Have, s.Want.Options)
	}
	return Upgrade, fmt.Sprintf("%s; taken over from Helm 4, which applied revision %d server-side: from now on it is applied client-side, "+
		"and Helm 4 does the same unless you tell it otherwise", cmp.Or(p.reasonToUpgrade(s), "no object differs"), s.Have.Revision)
}

func (p planner) reasonToUpgrade(s Step) string {
	if s.Have.Status != "deployed" {
		_, why := p.decideUndeployed(s)
		return why
	}
	return difference(*s.Have, *s.Next)
}
