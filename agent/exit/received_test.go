package exit

import "testing"

func TestReceived(t *testing.T) {
	for code, want := range map[int]Code{
		1: Unexpected, 10: ConfigInvalid, 14: DesiredInvalid, 15: SecretsUnreadable,
		0: DesiredInvalid, 2: DesiredInvalid, 11: DesiredInvalid, 16: DesiredInvalid, 17: DesiredInvalid, 18: DesiredInvalid, 20: DesiredInvalid,
		21: DesiredInvalid, 143: DesiredInvalid, 99: DesiredInvalid, -1: DesiredInvalid, 256: DesiredInvalid, 1 << 40: DesiredInvalid,
	} {
		for _, reason := range []string{"made up", ""} {
			err := Received(code, reason)
			if err == nil || Of(err) != want || err.Error() == "" || reason != "" && err.Error() != reason {
				t.Errorf("%d %q: got %v with %d, want %d", code, reason, err, Of(err), want)
			}
		}
	}
}
