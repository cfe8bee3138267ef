package egress

import (
	"slices"
	"strconv"
)

// LoopbackPorts are the ports of listed servers on this machine. HTTP clients ask no proxy for those.
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
