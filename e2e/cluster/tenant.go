package cluster

import (
	"context"
	"fmt"
	"time"

	authorization "k8s.io/api/authorization/v1"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	tenantTimeout  = 2 * time.Minute
	tenantRole     = "admin" // the built-in ClusterRole
	tenantBinding  = "tenant"
	defaultAccount = "default"
	rootBundle     = "kube-root-ca.crt"
)

// tenantRights has one right from each of the roles that the built-in ClusterRole admin is aggregated from: a tenant
// that has them has them all.
var tenantRights = []authorization.ResourceAttributes{
	{Verb: "create", Group: "rbac.authorization.k8s.io", Resource: "rolebindings"}, // aggregate-to-admin
	{Verb: "create", Group: "apps", Resource: "deployments"},                       // aggregate-to-edit
	{Verb: "get", Resource: "namespaces"},                                          // aggregate-to-view
}

// Tenant makes a namespace and binds the built-in ClusterRole admin in it to the user. When it returns, the rights are
// in force and the namespace has all that the controllers put into a new one, so that nothing changes by itself later.
func (c *Cluster) Tenant(ctx context.Context, namespace, user string) error {
	ctx, cancel := context.WithTimeout(ctx, tenantTimeout)
	defer cancel()
	if err := c.createNamespace(ctx, namespace); err != nil {
		return err
	}
	if err := c.bind(ctx, namespace, user); err != nil {
		return err
	}
	err := eventually(ctx, func(ctx context.Context) error { return c.settled(ctx, namespace, user) })
	if err != nil {
		return fmt.Errorf("wait for the rights of %s in namespace %s: %w", user, namespace, err)
	}
	return nil
}

// createNamespace is content with a namespace that exists: two users may share one.
func (c *Cluster) createNamespace(ctx context.Context, name string) error {
	namespace := &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: name}}
	_, err := c.probe.CoreV1().Namespaces().Create(ctx, namespace, meta.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create namespace %s: %w", name, err)
	}
	return nil
}

func (c *Cluster) bind(ctx context.Context, namespace, user string) error {
	binding := &rbac.RoleBinding{
		ObjectMeta: meta.ObjectMeta{Name: tenantBinding + "-" + user},
		RoleRef:    rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "ClusterRole", Name: tenantRole},
		Subjects:   []rbac.Subject{{APIGroup: rbac.GroupName, Kind: rbac.UserKind, Name: user}},
	}
	_, err := c.probe.RbacV1().RoleBindings(namespace).Create(ctx, binding, meta.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make %s admin of namespace %s: %w", user, namespace, err)
	}
	return nil
}

func (c *Cluster) settled(ctx context.Context, namespace, user string) error {
	for _, right := range tenantRights {
		right.Namespace = namespace
		if err := c.may(ctx, user, right); err != nil {
			return err
		}
	}
	return c.furnished(ctx, namespace)
}

// may asks on the probe's account, so that the user's own requests can still be counted.
func (c *Cluster) may(ctx context.Context, user string, right authorization.ResourceAttributes) error {
	review := &authorization.SubjectAccessReview{
		Spec: authorization.SubjectAccessReviewSpec{User: user, ResourceAttributes: &right},
	}
	answer, err := c.probe.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, meta.CreateOptions{})
	if err != nil {
		return err
	}
	if !answer.Status.Allowed {
		return fmt.Errorf("%s may not yet %s %s", user, right.Verb, right.Resource)
	}
	return nil
}

// furnished looks for what the controllers put into every namespace.
func (c *Cluster) furnished(ctx context.Context, namespace string) error {
	if _, err := c.probe.CoreV1().ServiceAccounts(namespace).Get(ctx, defaultAccount, meta.GetOptions{}); err != nil {
		return err
	}
	_, err := c.probe.CoreV1().ConfigMaps(namespace).Get(ctx, rootBundle, meta.GetOptions{})
	return err
}

// controllersReady takes what the controllers do for the namespace that is always there as the sign that they work.
func (c *Cluster) controllersReady(ctx context.Context) error {
	role, err := c.probe.RbacV1().ClusterRoles().Get(ctx, tenantRole, meta.GetOptions{})
	if err != nil {
		return err
	}
	if len(role.Rules) == 0 {
		return fmt.Errorf("ClusterRole %s is not aggregated yet", tenantRole)
	}
	return c.furnished(ctx, meta.NamespaceDefault)
}

// eventually asks until there is no error, and returns the last one when the context ends.
func eventually(ctx context.Context, ask func(context.Context) error) error {
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (last answer: %w)", ctx.Err(), err)
		case <-time.After(pollInterval):
		}
	}
}
