package egress

import (
	"slices"
	"strconv"
)

// LoopbackPorts are the ports on this machine that the list permits. HTTP clients use no proxy for them.
func (p Policy) LoopbackPorts() []int {
	var ports []int
	for _, e := range p.entries() {
		local := e.name == "localhost" || e.prefix.IsValid() && e.prefix.Addr().IsLoopback()
		if port, err := strconv.Atoi(e.port); err == nil && local && !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	return ports
}
