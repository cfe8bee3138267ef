package egress

import (
	"errors"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// entry is one item of the list, parsed. It has either a name or a prefix.
type entry struct {
	name   string // a host, "*." and a domain, or "*"
	prefix netip.Prefix
	port   string // empty permits every port
}

var hostName = regexp.MustCompile(`^(\*\.)?[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?)*$`)

// maxName is the length that DNS allows.
const maxName = 253

var errEntry = errors.New("is not a host: write host, host:port, *.domain, an IP address, a CIDR or *")

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
	return hostEntry(plainName(host), port)
}

func hostEntry(host, port string) (entry, error) {
	e := entry{name: host, port: port}
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		addr = addr.Unmap().WithZone("")
		e = entry{prefix: netip.PrefixFrom(addr, addr.BitLen()), port: port}
	} else if len(host) > maxName || !hostName.MatchString(host) || numeric(host) {
		return entry{}, errEntry
	}
	if n, err := strconv.Atoi(port); port != "" && err != nil {
		return entry{}, errEntry // a URL, for example
	} else if port != "" && (n < 1 || n > 65535) {
		return entry{}, errors.New("has no valid port: give a number from 1 to 65535")
	}
	return e, nil
}

// pattern says whether the entry names hosts that the operator did not write down.
func (e entry) pattern() bool { return strings.HasPrefix(e.name, "*") }

func (e entry) names(t target) bool {
	if e.name == "" || e.port != "" && e.port != t.port {
		return false
	}
	if domain, ok := strings.CutPrefix(e.name, "*."); ok {
		return strings.HasSuffix(t.host, "."+domain)
	}
	return e.name == "*" || e.name == t.host
}

func (e entry) contains(addr netip.Addr, port string) bool {
	return e.prefix.IsValid() && (e.port == "" || e.port == port) && e.prefix.Contains(addr.Unmap().WithZone(""))
}

var number = regexp.MustCompile(`^(0x[0-9a-f]*|[0-9]+)$`)

// numeric says whether a name ends in a number. No domain does; some resolvers read 127.1 or 0x7f000001 as an address.
func numeric(host string) bool { return number.MatchString(host[strings.LastIndex(host, ".")+1:]) }
