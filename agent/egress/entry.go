package egress

import (
	"errors"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// entry is one parsed item of allowRemote. It has either a name or a prefix.
type entry struct {
	name   string // a host, "*." and a domain, or "*"
	prefix netip.Prefix
	port   string // empty for all ports
}

var hostName = regexp.MustCompile(`^(\*\.)?[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?)*$`)

// maxNameLength is the limit of DNS.
const maxNameLength = 253

var errEntry = errors.New("is not a host: write host, host:port, *.domain, an IP address, a CIDR or *")

// parseEntry parses an item of allowRemote.
func parseEntry(text string) (entry, error) {
	if text == "*" {
		return entry{name: text}, nil
	}
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return entry{prefix: prefix.Masked()}, nil
	}
	host, port := text, ""
	if _, err := netip.ParseAddr(text); err != nil { // an IPv6 address has colons, but no port
		if h, p, err := net.SplitHostPort(text); err == nil {
			host, port = h, p
		}
	}
	return hostEntry(normalizeName(host), port)
}

func hostEntry(host, port string) (entry, error) {
	e := entry{name: host, port: port}
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		addr = addr.Unmap().WithZone("")
		e = entry{prefix: netip.PrefixFrom(addr, addr.BitLen()), port: port}
	} else if len(host) > maxNameLength || !hostName.MatchString(host) || endsInNumber(host) {
		return entry{}, errEntry
	}
	if n, err := strconv.Atoi(port); port != "" && err != nil {
		return entry{}, errEntry // a URL, for example
	} else if port != "" && (n < 1 || n > 65535) {
		return entry{}, errors.New("has no valid port: give a number from 1 to 65535")
	}
	return e, nil
}

// isPattern: the entry matches hosts that the list does not name.
func (e entry) isPattern() bool { return strings.HasPrefix(e.name, "*") }

// matchesName: the entry names the host, or is a pattern that matches it.
func (e entry) matchesName(t target) bool {
	if e.name == "" || e.port != "" && e.port != t.port {
		return false
	}
	if domain, ok := strings.CutPrefix(e.name, "*."); ok {
		return strings.HasSuffix(t.host, "."+domain)
	}
	return e.name == "*" || e.name == t.host
}

// contains: the entry is the address, or a CIDR with it.
func (e entry) contains(addr netip.Addr, port string) bool {
	return e.prefix.IsValid() && (e.port == "" || e.port == port) && e.prefix.Contains(addr.Unmap().WithZone(""))
}

var number = regexp.MustCompile(`^(0x[0-9a-f]*|[0-9]+)$`)

// endsInNumber: the name ends in a number. No domain name does, but some resolvers read 127.1 or 0x7f000001 as an address.
func endsInNumber(host string) bool { return number.MatchString(host[strings.LastIndex(host, ".")+1:]) }
