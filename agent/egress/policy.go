package egress

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Policy is the list of hosts that the repository may make the agent connect to.
type Policy struct {
	// Allowed has entries of the form host, host:port, *.domain, IP address, CIDR or "*". An entry with a port permits only that port.
	Allowed []string
}

// Check returns an error if an entry of the list is not valid.
func Check(entry string) error {
	_, err := parseEntry(normalizeEntry(entry))
	return err
}

// Parse checks the entries and converts them to lower case, because host names ignore case.
func Parse(entries []string) (Policy, error) {
	var p Policy
	for _, text := range entries {
		if err := Check(text); err != nil {
			return Policy{}, fmt.Errorf("allowRemote: %q %w", text, err)
		}
		p.Allowed = append(p.Allowed, normalizeEntry(text))
	}
	return p, nil
}

// PermitsHost says whether an entry matches the host. "*" matches every host. A hostport without a port matches only entries without a
// port.
func (p Policy) PermitsHost(hostport string) bool {
	t := targetOf(hostport)
	return slices.ContainsFunc(p.entries(), func(e entry) bool { return e.matchesName(t) || e.contains(t.addr, t.port) })
}

// listsHost says whether an entry names this host or contains this address. Patterns do not count, because DNS decides which addresses
// they match.
func (p Policy) listsHost(host string, addr netip.Addr, port string) bool {
	return slices.ContainsFunc(p.entries(), func(e entry) bool {
		return !e.isPattern() && e.matchesName(target{host: host, port: port}) || e.contains(addr, port)
	})
}

// listsAddress says whether an entry is exactly this address. A CIDR with the address does not count, because it is meant for other
// machines. A name does not count, because it may resolve to any address.
func (p Policy) listsAddress(addr netip.Addr, port string) bool {
	return slices.ContainsFunc(p.entries(), func(e entry) bool { return e.prefix.IsSingleIP() && e.contains(addr, port) })
}

// check refuses the addresses of the pod itself, of its node and of metadata servers, unless the list has them.
func (p Policy) check(host string, addr netip.Addr, port string) error {
	kind, missing := addressKind(addr), host
	var listed bool
	if kind == metadata {
		listed, missing = p.listsAddress(addr, port), addr.Unmap().String()
	} else {
		listed = p.listsHost(host, addr, port)
	}
	if kind == "" || listed {
		return nil
	}
	return RefusedError(fmt.Sprintf("the repository may not make the agent connect to %s, which has the %s address %s: to allow it, add %s to the setting allowRemote",
		host, kind, addr.Unmap(), missing))
}

// RefusedError is the error for an address that a policy refuses.
type RefusedError string

func (e RefusedError) Error() string { return string(e) }

func (p Policy) entries() []entry {
	var all []entry
	for _, text := range p.Allowed {
		// Parse refuses invalid entries. An invalid entry of a Policy that was made without Parse permits nothing.
		if e, err := parseEntry(normalizeEntry(text)); err == nil {
			all = append(all, e)
		}
	}
	return all
}

// nat64 is the prefix of IPv6 addresses that a gateway translates to IPv4 addresses.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// metadata is the kind of the addresses from which a machine in a cloud gets credentials.
const metadata = "metadata server"

// metadataServers are the addresses of metadata servers that are not link-local.
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

// addressKind is the kind of an address that is not an ordinary remote host. It is empty for all other addresses.
func addressKind(addr netip.Addr) string {
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

// target is a host and port of a URL. addr is valid only if the host is an IP address.
type target struct {
	host, port string
	addr       netip.Addr
}

func targetOf(hostport string) target {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = strings.Trim(hostport, "[]"), ""
	}
	addr, _ := netip.ParseAddr(host) // an error means that the host is a name
	return target{host: normalizeName(host), port: port, addr: addr.WithZone("")}
}

func normalizeEntry(entry string) string { return strings.ToLower(strings.TrimSpace(entry)) }

// normalizeName removes differences that DNS ignores: upper case, and the dot at the end of an absolute name.
func normalizeName(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }
