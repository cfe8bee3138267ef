package alerts

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// samples has the series by name and labels, with one sample per minute. The empty string means that there is no sample.
type samples struct {
	minutes int
	of      map[string][]string
}

// put sets the value of the series from the minute begin up to, but not including, the minute end.
func (s *samples) put(series string, begin, end, value int) {
	if s.of == nil {
		s.of = map[string][]string{}
	}
	if s.of[series] == nil {
		s.of[series] = make([]string, s.minutes)
	}
	for m := max(begin, 0); m < min(end, s.minutes); m++ {
		s.of[series][m] = strconv.Itoa(value)
	}
}

// input is one series in the format of promtool.
type input struct {
	Series string `json:"series"`
	Values string `json:"values"`
}

func (s *samples) inputs() []input {
	var all []input
	for _, series := range slices.Sorted(maps.Keys(s.of)) {
		all = append(all, input{series, short(s.of[series])})
	}
	return all
}

// short combines equal values that follow each other: 5, 5, 5 becomes 5x2. A series that ends is marked stale, as Prometheus does when
// a target no longer exports it.
func short(minutes []string) string {
	var words []string
	for begin := 0; begin < len(minutes); {
		value, end := minutes[begin], begin+1
		for end < len(minutes) && minutes[end] == value {
			end++
		}
		n := end - begin
		switch {
		case value != "":
			words = append(words, fmt.Sprintf("%sx%d", value, n-1))
		case begin == 0:
			words = append(words, fmt.Sprintf("_x%d", n))
		case n == 1:
			words = append(words, "stale")
		default:
			words = append(words, fmt.Sprintf("stale _x%d", n-1))
		}
		begin = end
	}
	return strings.Join(words, " ")
}
