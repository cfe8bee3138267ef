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

// tenantRights has one right from each ClusterRole that is aggregated into the built-in ClusterRole admin. A tenant with these rights has
// all of them.
var tenantRights = []authorization.ResourceAttributes{
	{Verb: "create", Group: "rbac.authorization.k8s.io", Resource: "rolebindings"}, // aggregate-to-admin
	{Verb: "create", Group: "apps", Resource: "deployments"},                       // aggregate-to-edit
	{Verb: "get", Resource: "namespaces"},                                          // aggregate-to-view
}

// Tenant creates a namespace, and binds the built-in ClusterRole admin in it to the user. When it returns, the rights are in force, and the
// controllers have created their objects in the namespace.
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

// createNamespace creates a namespace if it does not exist. Two users may share one.
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
	return c.hasDefaultObjects(ctx, namespace)
}

// may checks a right of the user with the probe's identity, so that the request is not counted for the user.
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

// hasDefaultObjects checks for the objects that the controllers create in every namespace.
func (c *Cluster) hasDefaultObjects(ctx context.Context, namespace string) error {
	if _, err := c.probe.CoreV1().ServiceAccounts(namespace).Get(ctx, defaultAccount, meta.GetOptions{}); err != nil {
		return err
	}
	_, err := c.probe.CoreV1().ConfigMaps(namespace).Get(ctx, rootBundle, meta.GetOptions{})
	return err
}

// controllersReady checks for the controllers' objects in the default namespace.
func (c *Cluster) controllersReady(ctx context.Context) error {
	role, err := c.probe.RbacV1().ClusterRoles().Get(ctx, tenantRole, meta.GetOptions{})
	if err != nil {
		return err
	}
	if len(role.Rules) == 0 {
		return fmt.Errorf("ClusterRole %s is not aggregated yet", tenantRole)
	}
	return c.hasDefaultObjects(ctx, meta.NamespaceDefault)
}

// eventually repeats the check until there is no error. It returns the last error when the context ends.
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
