//go:build race

package child

// The agent, its children and the tests end at the first race when this variable says so.
func init() { passed = append(passed, "GORACE") }
