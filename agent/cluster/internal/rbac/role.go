package rbac

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	authentication "k8s.io/api/authentication/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// grant returns YAML for kubectl apply: for each namespace a Role that grants the rights, and a RoleBinding if the subject is known. A
// comment in the YAML lists the rights that a Role cannot grant.
func (r *Reviewer) grant(rights []right, to *rbac.Subject) string {
	byNamespace := map[string][]right{}
	for _, need := range rights {
		if !r.isOwn(need) || !need.named() {
			need = need.anyName()
		}
		byNamespace[need.namespace] = append(byNamespace[need.namespace], need)
	}
	var documents []string
	for _, namespace := range slices.Sorted(maps.Keys(byNamespace)) {
		if rules := rulesFor(byNamespace[namespace]); namespace != "" {
			documents = append(documents, r.role(namespace, rules, to)...)
		}
	}
	return strings.Join(documents, "---\n") + clusterWide(byNamespace[""])
}

// role has the hash of its rules in its name. So a Role that is applied later does not replace an earlier one and takes no right away.
func (r *Reviewer) role(namespace string, rules []rbac.PolicyRule, to *rbac.Subject) []string {
	sum := sha256.Sum256(fmt.Append(nil, rules))
	meta := metav1.ObjectMeta{Name: r.kube.Options.Instance + "-" + hex.EncodeToString(sum[:4]), Namespace: namespace}
	documents := []string{document(rbac.Role{TypeMeta: rbacType("Role"), ObjectMeta: meta, Rules: rules})}
	if to != nil {
		documents = append(documents, document(rbac.RoleBinding{
			TypeMeta:   rbacType("RoleBinding"),
			ObjectMeta: meta,
			Subjects:   []rbac.Subject{*to},
			RoleRef:    rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "Role", Name: meta.Name},
		}))
	}
	return documents
}

func rbacType(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: rbac.SchemeGroupVersion.String(), Kind: kind}
}

func document(object any) string {
	text, err := yaml.Marshal(object)
	if err != nil {
		return fmt.Sprintf("# %v\n", err) // it cannot happen for types of Kubernetes
	}
	return string(text)
}

// rulesFor joins resources of one group with the same verbs. The order of the rights does not change the rules.
func rulesFor(rights []right) []rbac.PolicyRule {
	type object struct{ group, resource, name string }
	verbs := map[object][]string{}
	for _, need := range rights {
		key := object{need.group, need.resource, need.name}
		verbs[key] = append(verbs[key], need.verb)
	}
	type kind struct{ group, verbs, name string }
	resources := map[kind][]string{}
	for of, allowed := range verbs {
		key := kind{of.group, strings.Join(inOrder(allowed), " "), of.name}
		resources[key] = append(resources[key], of.resource)
	}
	var rules []rbac.PolicyRule
	for key, names := range resources {
		slices.Sort(names)
		rule := rbac.PolicyRule{APIGroups: []string{key.group}, Resources: names, Verbs: strings.Fields(key.verbs)}
		if key.name != "" {
			rule.ResourceNames = []string{key.name}
		}
		rules = append(rules, rule)
	}
	slices.SortFunc(rules, func(a, b rbac.PolicyRule) int {
		return cmp.Or(cmp.Compare(a.APIGroups[0], b.APIGroups[0]), slices.Compare(a.Resources, b.Resources), slices.Compare(a.ResourceNames, b.ResourceNames))
	})
	return rules
}

var usualOrder = []string{"get", "list", "watch", "create", "update", "patch", "delete"}

// inOrder returns each verb once, in the usual order.
func inOrder(verbs []string) []string {
	sorted := append([]string{}, verbs...)
	slices.SortFunc(sorted, func(a, b string) int {
		return cmp.Compare(slices.Index(usualOrder, a), slices.Index(usualOrder, b))
	})
	return slices.Compact(sorted)
}

// clusterWide returns a comment with the rights that only an administrator of the cluster can grant.
func clusterWide(rights []right) string {
	if len(rights) == 0 {
		return ""
	}
	lines := make([]string, 0, len(rights))
	for _, need := range rights {
		lines = append(lines, "#   "+need.anyName().String()+"\n")
	}
	slices.Sort(lines)
	return "# No Role can grant this; an administrator of the cluster can, with a ClusterRole:\n" + strings.Join(slices.Compact(lines), "")
}

// whoAmI returns the subject of the agent's requests. It is nil if the API server does not tell.
func (r *Reviewer) whoAmI(ctx context.Context) *rbac.Subject {
	answer, err := r.kube.Client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authentication.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil || answer.Status.UserInfo.Username == "" {
		return nil
	}
	return subjectOf(answer.Status.UserInfo.Username)
}

func subjectOf(user string) *rbac.Subject {
	if account, ok := strings.CutPrefix(user, "system:serviceaccount:"); ok {
		if namespace, name, ok := strings.Cut(account, ":"); ok {
			return &rbac.Subject{Kind: rbac.ServiceAccountKind, Namespace: namespace, Name: name}
		}
	}
	return &rbac.Subject{APIGroup: rbac.GroupName, Kind: rbac.UserKind, Name: user}
}
