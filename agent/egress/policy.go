package egress

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Policy is the list of hosts that the repository may make the agent reach.
type Policy struct {
	// Allowed holds host, host:port, *.domain, an IP address, a CIDR, or "*". An entry with a port permits only that port.
	Allowed []string
}

// Check says what is wrong with an entry of the list.
func Check(entry string) error {
	_, err := parseEntry(plain(entry))
	return err
}

// Parse checks the entries and keeps them in lower case, because host names ignore case.
func Parse(entries []string) (Policy, error) {
	var p Policy
	for _, text := range entries {
		if err := Check(text); err != nil {
			return Policy{}, fmt.Errorf("allowRemote: %q %w", text, err)
		}
		p.Allowed = append(p.Allowed, plain(text))
	}
	return p, nil
}

// PermitsHost says whether the list names the host; "*" names every host. A hostport without a port matches only entries
// without a port.
func (p Policy) PermitsHost(hostport string) bool {
	t := targetOf(hostport)
	return slices.ContainsFunc(p.entries(), func(e entry) bool { return e.names(t) || e.contains(t.addr, t.port) })
}

// lists says whether an entry names this host or contains this address. Patterns do not count: DNS decides what they match.
func (p Policy) lists(host string, addr netip.Addr, port string) bool {
	return slices.ContainsFunc(p.entries(), func(e entry) bool {
		return !e.pattern() && e.names(target{host: host, port: port}) || e.contains(addr, port)
	})
}

// listsAlone says whether an entry is this one address. A CIDR around it is about other machines, and a name may resolve to anything.
func (p Policy) listsAlone(addr netip.Addr, port string) bool {
	return slices.ContainsFunc(p.entries(), func(e entry) bool { return e.prefix.IsSingleIP() && e.contains(addr, port) })
}

// check refuses an address that leads to the pod, its node or a metadata server, unless it is listed.
func (p Policy) check(host string, addr netip.Addr, port string) error {
	kind, listed, add := special(addr), false, host
	if kind == metadata {
		listed, add = p.listsAlone(addr, port), addr.Unmap().String()
	} else {
		listed = p.lists(host, addr, port)
	}
	if kind == "" || listed {
		return nil
	}
	return RefusedError(fmt.Sprintf("%s has the %s address %s, which the repository may not make the agent reach: if it may, add %s to the setting allowRemote",
		host, kind, addr.Unmap(), add))
}

// RefusedError says that a policy refuses an address.
type RefusedError string

func (e RefusedError) Error() string { return string(e) }

func (p Policy) entries() []entry {
	var all []entry
	for _, text := range p.Allowed {
		// Parse has refused what is wrong; a wrong entry of a literal Policy permits nothing.
		if e, err := parseEntry(plain(text)); err == nil {
			all = append(all, e)
		}
	}
	return all
}

// nat64 is the prefix behind which a gateway reaches every IPv4 address.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// metadata is the kind of an address at which a cloud gives credentials to its machines.
const metadata = "metadata server's"

// metadataServers are those that are not link-local.
var metadataServers = []netip.Prefix{
	netip.MustParsePrefix("fd00:ec2::/32"),          // AWS: instance metadata, EKS Pod Identity
	netip.MustParsePrefix("fd20:ce::254/128"),       // Google
	netip.MustParsePrefix("168.63.129.16/32"),       // Azure's WireServer
	netip.MustParsePrefix("100.100.100.200/32"),     // Alibaba
	netip.MustParsePrefix("fd00:100::100:200/128"),  // Alibaba
	netip.MustParsePrefix("192.0.0.192/32"),         // Oracle Cloud at Customer
	netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), // Oracle
	netip.MustParsePrefix("fd00:a9fe:a9fe::1/128"),  // Akamai, formerly Linode
	netip.MustParsePrefix("fd00:42::42/128"),        // Scaleway
}

// special names the kind of an address that is no remote host; empty for all others.
func special(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	if nat64.Contains(addr) {
		b := addr.As16()
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	switch {
	case addr.IsLoopback():
		return "loopback"
	case addr.IsUnspecified():
		return "unspecified"
	case addr.IsLinkLocalUnicast():
		return "link-local"
	case addr.IsMulticast(), addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "multicast"
	case slices.ContainsFunc(metadataServers, func(prefix netip.Prefix) bool { return prefix.Contains(addr) }):
		return metadata
	}
	return ""
}

// target is a host as a URL names it. addr is valid if the name is a literal address.
type target struct {
	host, port string
	addr       netip.Addr
}

func targetOf(hostport string) target {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = strings.Trim(hostport, "[]"), ""
	}
	addr, _ := netip.ParseAddr(host) // no address: a name
	return target{host: plainName(host), port: port, addr: addr.WithZone("")}
}

func plain(entry string) string { return strings.ToLower(strings.TrimSpace(entry)) }

// plainName ignores case and the dot that ends an absolute name.
func plainName(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }
