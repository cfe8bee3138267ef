package alerts

import "slices"

// one returns a story of one agent.
func one(minutes int, runs ...[]run) story {
	return story{minutes: minutes, agents: []agent{{runs: slices.Concat(runs...)}}}
}

// twice returns the story with two replicas of kube-state-metrics.
func twice(s story) story {
	s.replicas = 2
	return s
}

func with(s story, change func(*agent)) story {
	change(&s.agents[0])
	return s
}

// The interval is 15 minutes unless an example sets another one. So NoRecentSuccess is pending 55 minutes after a success, and fires
// five minutes later.
var examples = map[string]example{
	"runs that succeed":    {one(300, succeed(from(15, 285)...)), map[int]string{10: "", 16: "", 20: "", 150: "", 299: ""}},
	"before the first run": {one(14), map[int]string{10: ""}},

	// RunFailed
	"a run fails":         {one(50, succeed(15, 30), fail(45)), map[int]string{45: "", 46: "", 47: "RunFailed", 49: "RunFailed"}},
	"the first run fails": {one(25, fail(15)), map[int]string{16: "", 18: "RunFailed", 24: "RunFailed"}},
	"a later success ends the alert, although the failed Job still exists": {one(90, succeed(15), fail(30), succeed(45, 60, 75)),
		map[int]string{33: "RunFailed", 45: "RunFailed", 46: "", 47: "", 89: ""}},
	"the alert stays while the next run is active": {one(60, succeed(15), fail(30), []run{{at: 45, takes: 10}}),
		map[int]string{33: "RunFailed", 50: "RunFailed", 54: "RunFailed", 56: ""}},
	"the failed Job is deleted": {one(45, succeed(15), []run{{at: 30, fails: true, removed: 40}}),
		map[int]string{33: "RunFailed", 41: ""}},
	"a manual run fails": {one(30, succeed(15), []run{{at: 20, fails: true, manual: true}}), map[int]string{19: "", 24: "RunFailed"}},
	"a manual run succeeds after a failed run": {one(45, succeed(15), fail(30), []run{{at: 36, manual: true}}),
		map[int]string{33: "RunFailed", 38: ""}},
	"a run fails because an earlier run is active, and the earlier run succeeds": {
		one(45, []run{{at: 25, takes: 10, manual: true}}, fail(30)), map[int]string{33: "RunFailed", 36: ""}},
	"two replicas of kube-state-metrics": {story{minutes: 140, replicas: 2, agents: []agent{{runs: slices.Concat(succeed(15),
		fail(from(30, 105)...), []run{{at: 120, fails: true, oom: true, takes: 12, pending: 12, deadline: 12}})}}},
		map[int]string{33: "RunFailed", 80: "RunFailed, NoRecentSuccess", 127: "RunFailed, NoRecentSuccess, PodNotStarting",
			131: "RunFailed, NoRecentSuccess, PodNotStarting, RunStuck", 134: "RunFailed, NoRecentSuccess, OOMKilled"}},
	"a failed run started in the second in which another run succeeded": {one(45, []run{{at: 29, manual: true}}, fail(30)), map[int]string{33: "RunFailed"}},

	// NoRecentSuccess
	"no run has ever started": {one(80), map[int]string{10: "", 58: "ScheduleMissed", 62: "ScheduleMissed, NoRecentSuccess"}},
	"runs stop succeeding": {one(130, succeed(15, 30), fail(from(45, 90)...), succeed(105, 120)),
		map[int]string{50: "RunFailed", 88: "RunFailed", 93: "RunFailed, NoRecentSuccess", 104: "RunFailed, NoRecentSuccess", 107: "", 129: ""}},
	"no run has ever succeeded": {with(one(80, fail(from(15, 75)...)), func(a *agent) { a.created = 3 }),
		map[int]string{57: "RunFailed", 62: "RunFailed", 66: "RunFailed, NoRecentSuccess"}},
	"the first run of a daily schedule is far away": {with(one(600), func(a *agent) { a.every, a.created = 1440, 10 }),
		map[int]string{100: "", 599: ""}},
	"no success while suspended": {with(one(600, succeed(15, 30)), func(a *agent) { a.suspended = [2]int{35, 600} }),
		map[int]string{60: "", 93: "", 120: "", 599: ""}},
	"suspended after failures": {with(one(300, succeed(15), fail(30)), func(a *agent) { a.suspended = [2]int{35, 300} }),
		map[int]string{33: "RunFailed", 80: "RunFailed", 299: "RunFailed"}},
	"resumed after a long time, and runs succeed": {
		with(one(500, succeed(15, 30), succeed(from(405, 495)...)), func(a *agent) { a.suspended = [2]int{35, 400} }),
		map[int]string{399: "", 401: "", 404: "", 410: "", 450: "", 499: ""}},
	"resumed after a long time, and runs fail": {
		with(one(500, succeed(15, 30), fail(from(405, 495)...)), func(a *agent) { a.suspended = [2]int{35, 400} }),
		map[int]string{404: "", 408: "RunFailed", 445: "RunFailed", 462: "RunFailed, NoRecentSuccess", 499: "RunFailed, NoRecentSuccess"}},
	"the first runs after a night without runs": {
		with(one(1000, succeed(15, 30, 45, 60), fail(from(900, 990)...)), func(a *agent) { a.ticks = append(from(15, 60), from(900, 990)...) }),
		map[int]string{70: "", 200: "", 899: "", 905: "RunFailed", 955: "RunFailed", 970: "RunFailed, NoRecentSuccess"}},

	// ScheduleMissed
	"the next run does not start": {one(100, succeed(15, 30)),
		map[int]string{50: "", 54: "", 57: "ScheduleMissed", 90: "ScheduleMissed", 95: "ScheduleMissed, NoRecentSuccess"}},
	"the first run does not start":             {one(30), map[int]string{20: "", 24: "", 27: "ScheduleMissed"}},
	"a run is active when the next one is due": {one(70, succeed(15), []run{{at: 30, takes: 28}}, succeed(60)), map[int]string{57: "", 59: "", 69: ""}},
	"resumed, and the missed run does not start": {
		with(one(500, succeed(60, 120), succeed(420, 480)), func(a *agent) { a.every, a.suspended = 60, [2]int{130, 400} }),
		map[int]string{390: "", 401: "", 412: "", 419: "", 499: ""}},
	"resumed, and no run starts": {
		with(one(500, succeed(60, 120)), func(a *agent) { a.every, a.suspended = 60, [2]int{130, 400} }),
		map[int]string{401: "", 419: "", 455: "", 480: "ScheduleMissed"}},

	// RunStuck
	"a run is active until its deadline": {one(60, succeed(15), []run{{at: 30, takes: 25, fails: true, deadline: 25}}),
		map[int]string{49: "", 50: "", 53: "RunStuck", 54: "RunStuck", 57: "RunFailed"}},
	"a long run within its deadline": {one(70, succeed(15), []run{{at: 30, takes: 40, deadline: 60}}), map[int]string{50: "", 65: "", 69: ""}},
	"a run has no deadline":          {one(60, []run{{at: 15, takes: 45}}), map[int]string{44: "", 45: "", 48: "RunStuck", 59: "RunStuck"}},
	"a manual run does not end":      {one(60, []run{{at: 2, takes: 60, manual: true, deadline: 30}}, succeed(15, 30, 45)), map[int]string{25: "", 29: "RunStuck", 55: "RunStuck"}},
	"two runs of one CronJob do not end": {one(40, []run{{at: 2, takes: 60, manual: true, deadline: 20}, {at: 15, takes: 40, deadline: 60}}),
		map[int]string{17: "", 25: "RunStuck", 39: "RunStuck"}},

	// Flapping
	"runs alternate between failure and success": {one(100, fail(15), succeed(30), fail(45), succeed(60, 75, 90)), map[int]string{48: "RunFailed", 60: "RunFailed", 62: "Flapping", 99: "Flapping"}},
	"fails, succeeds and fails":                  {one(60, fail(15), succeed(30), fail(45)), map[int]string{59: "RunFailed"}},
	"many failures in a row":                     {one(80, succeed(15), fail(from(30, 75)...)), map[int]string{60: "RunFailed"}},
	"changes more than six hours ago": {one(460, fail(15), succeed(30), fail(45), succeed(from(60, 450)...)),
		map[int]string{100: "Flapping", 459: ""}},

	// Suspended
	"suspended for more than a day": {twice(with(one(1480, succeed(15)), func(a *agent) { a.suspended = [2]int{20, 1480} })),
		map[int]string{30: "", 1400: "", 1455: "", 1465: "Suspended", 1475: "Suspended"}},
	"suspended for less than a day": {with(one(1480, succeed(15), succeed(from(1410, 1470)...)), func(a *agent) { a.suspended = [2]int{20, 1400} }),
		map[int]string{1395: "", 1465: "", 1475: ""}},

	// Missing
	"deleted": {twice(with(one(80, succeed(15, 30)), func(a *agent) { a.deleted = 40 })), map[int]string{39: "", 50: "", 54: "", 57: "Missing", 79: "Missing"}},
	"deleted more than three days ago": {with(one(4400, succeed(15)), func(a *agent) { a.deleted = 20 }),
		map[int]string{40: "Missing", 4320: "Missing", 4345: ""}},
	"deleted and created again": {story{minutes: 80, agents: []agent{{runs: succeed(15, 30), deleted: 40}, {created: 45, runs: succeed(60, 75)}}},
		map[int]string{50: "", 57: "", 62: "", 79: ""}},
	"kube-state-metrics has no series": {story{minutes: 80, blind: 40, agents: []agent{{runs: succeed(15, 30)}}}, map[int]string{39: "", 57: "", 79: ""}},

	// ScheduleInvalid
	"the schedule has no next time":          {twice(with(one(40, succeed(5)), func(a *agent) { a.noNext = true })), map[int]string{10: "", 17: "ScheduleInvalid", 39: "ScheduleInvalid"}},
	"a schedule on 31 February":              {with(one(80), func(a *agent) { a.never = true }), map[int]string{10: "", 17: "ScheduleInvalid", 79: "ScheduleInvalid"}},
	"a suspended CronJob has no next time":   {with(one(60, succeed(5)), func(a *agent) { a.suspended = [2]int{6, 60} }), map[int]string{30: "", 59: ""}},
	"there is no next time for some minutes": {with(one(40, succeed(15)), func(a *agent) { a.suspended = [2]int{16, 20} }), map[int]string{22: "", 29: ""}},

	// PodNotStarting
	"a Pod is pending": {one(45, succeed(15), []run{{at: 30, takes: 12, pending: 10}}), map[int]string{33: "", 34: "", 36: "PodNotStarting", 39: "PodNotStarting", 41: ""}},
	"a Pod is pending for less than five minutes": {one(45, []run{{at: 15, takes: 8, pending: 4, waits: []string{"ContainerCreating"}}}, succeed(30)), map[int]string{18: "", 20: "", 22: "", 44: ""}},
	"an image cannot be pulled, with alternating reasons": {one(45, succeed(15), []run{{at: 30, takes: 12, waits: []string{"ErrImagePull", "ImagePullBackOff"}}}),
		map[int]string{34: "", 36: "PodNotStarting", 41: "PodNotStarting", 43: ""}},
	"a container is created slowly, but its Pod is not pending": {one(45, succeed(15), []run{{at: 30, takes: 12, waits: []string{"ContainerCreating", "PodInitializing"}}}),
		map[int]string{36: "", 41: ""}},
	"Pods of one Job after another are pending": {one(48, []run{{at: 30, takes: 4, fails: true, pending: 4}, {at: 34, takes: 4, fails: true, pending: 4}}, succeed(15, 45)),
		map[int]string{33: "", 36: "RunFailed, PodNotStarting", 47: ""}},

	// OOMKilled
	"killed at the memory limit": {one(60, succeed(15), []run{{at: 30, fails: true, oom: true}}, succeed(45)),
		map[int]string{30: "", 31: "OOMKilled", 33: "RunFailed, OOMKilled", 44: "RunFailed, OOMKilled", 47: "", 59: ""}},
	"killed once, but another Pod of the Job succeeds": {one(60, []run{{at: 15, oom: true}}, succeed(30)), map[int]string{20: "", 32: ""}},

	// Several
	"CronJobs of the same name in two namespaces": {story{minutes: 50, agents: []agent{
		{runs: slices.Concat(succeed(15), fail(30))}, {namespace: "bank", runs: []run{{at: 15}, {at: 30, takes: 15}}},
	}}, map[int]string{33: "RunFailed"}},
	"CronJobs of the same name in two namespaces, exchanged": {story{minutes: 50, agents: []agent{
		{runs: []run{{at: 15}, {at: 30, takes: 15}}}, {namespace: "bank", runs: slices.Concat(succeed(15), []run{{at: 30, fails: true, oom: true}})},
	}}, map[int]string{33: "RunFailed bank/helmfile-agent, OOMKilled bank/helmfile-agent"}},
	"every alert in two namespaces": {story{minutes: 100, replicas: 2, agents: []agent{
		{runs: []run{{at: 15, takes: 12, fails: true, deadline: 12, pending: 12, oom: true}}},
		{namespace: "bank", runs: []run{{at: 15, takes: 12, fails: true, deadline: 12, pending: 12, oom: true}}},
		{namespace: "inn", runs: succeed(from(15, 90)...)},
	}}, map[int]string{
		22: "PodNotStarting, PodNotStarting bank/helmfile-agent",
		26: "PodNotStarting, PodNotStarting bank/helmfile-agent, RunStuck, RunStuck bank/helmfile-agent",
		29: "RunFailed, RunFailed bank/helmfile-agent, OOMKilled, OOMKilled bank/helmfile-agent",
		45: "RunFailed, RunFailed bank/helmfile-agent, ScheduleMissed, ScheduleMissed bank/helmfile-agent, OOMKilled, OOMKilled bank/helmfile-agent",
		65: "RunFailed, RunFailed bank/helmfile-agent, ScheduleMissed, ScheduleMissed bank/helmfile-agent, OOMKilled, OOMKilled bank/helmfile-agent, NoRecentSuccess, NoRecentSuccess bank/helmfile-agent",
	}},
	"flapping runs in two namespaces": {story{minutes: 100, replicas: 2, agents: []agent{
		{runs: slices.Concat(fail(15), succeed(30), fail(45), succeed(60, 75, 90))},
		{namespace: "bank", runs: slices.Concat(fail(15), succeed(30), fail(45), succeed(60, 75, 90))},
	}}, map[int]string{48: "RunFailed, RunFailed bank/helmfile-agent", 62: "Flapping, Flapping bank/helmfile-agent"}},
	"two agents in one namespace": {story{minutes: 60, agents: []agent{
		{runs: succeed(15, 30, 45)}, {name: "apps-helmfile-agent", runs: slices.Concat(succeed(15), fail(30, 45))},
	}}, map[int]string{33: "RunFailed shop/apps-helmfile-agent", 59: "RunFailed shop/apps-helmfile-agent"}},
	"one of two is deleted": {story{minutes: 60, agents: []agent{
		{namespace: "bank", runs: succeed(15, 30, 45)}, {runs: succeed(15), deleted: 20},
	}}, map[int]string{30: "", 40: "Missing", 59: "Missing"}},
	"one of two is suspended": {story{minutes: 100, agents: []agent{
		{namespace: "bank", runs: succeed(15, 30), suspended: [2]int{40, 100}}, {runs: succeed(15, 30)},
	}}, map[int]string{58: "ScheduleMissed", 95: "ScheduleMissed, NoRecentSuccess"}},
	"one of two has a schedule without a next time": {story{minutes: 40, agents: []agent{
		{namespace: "bank", runs: succeed(15, 30)}, {runs: succeed(5), noNext: true},
	}}, map[int]string{10: "", 17: "ScheduleInvalid", 39: "ScheduleInvalid"}},
	"two clusters with the same names": {story{minutes: 50, agents: []agent{
		{cluster: "east", runs: slices.Concat(succeed(15), fail(30))}, {cluster: "west", runs: []run{{at: 15}, {at: 30, takes: 15}}},
	}}, map[int]string{33: "RunFailed east/shop/helmfile-agent"}},
}
