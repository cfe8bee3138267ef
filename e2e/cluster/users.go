package cluster

import (
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Admin is the user with all rights.
const Admin = "admin"

// Tenants is the number of tenant users. All of them exist from the start, because the API server reads its users only once.
const Tenants = 500

const (
	controllerManagerUser = "system:kube-controller-manager"
	schedulerUser         = "system:kube-scheduler"
	proxyUser             = "system:kube-proxy"
	nodeUser              = "system:node:" + nodeName
	nodeGroup             = "system:nodes"
	probeUser             = "cluster-probe"
	adminGroup            = "system:masters"
)

// TenantUser names the i-th tenant user, from 0 to Tenants-1; it has no rights before the call of Tenant.
func TenantUser(i int) string {
	return fmt.Sprintf("tenant-%d", i)
}

// newTokens creates the tokens of all users. They are random, so that a token of one cluster is not valid in another.
func newTokens() map[string]string {
	tokens := map[string]string{}
	for _, user := range []string{Admin, controllerManagerUser, schedulerUser, proxyUser, nodeUser, probeUser} {
		tokens[user] = rand.Text()
	}
	for i := range Tenants {
		tokens[TenantUser(i)] = rand.Text()
	}
	return tokens
}

// tokenFile is the API server's --token-auth-file: token, user, uid, groups.
func tokenFile(tokens map[string]string) []byte {
	var file strings.Builder
	for _, user := range slices.Sorted(maps.Keys(tokens)) {
		fmt.Fprintf(&file, "%s,%s,%s,%s\n", tokens[user], user, user, group(user))
	}
	return []byte(file.String())
}

func group(user string) string {
	switch user {
	case Admin, probeUser:
		return adminGroup
	case nodeUser:
		return nodeGroup
	default:
		return ""
	}
}
