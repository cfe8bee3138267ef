package kube

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"

	"k8s.io/client-go/rest"
)

// Pod identifies a pod for good: a later pod may have the same name.
type Pod struct{ Namespace, Name, UID string }

// String is "namespace/name/uid"; empty for no pod.
func (p Pod) String() string {
	if p == (Pod{}) {
		return ""
	}
	return p.Namespace + "/" + p.Name + "/" + p.UID
}

// ParsePod reads the result of [Pod.String].
func ParsePod(text string) (Pod, bool) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return Pod{}, false
	}
	return Pod{parts[0], parts[1], parts[2]}, true
}

// OwnPod is the pod that this process runs in, if that is in the cluster that it changes. The token that the kubelet has mounted says so:
// it is bound to the pod, and this API server accepts no token of another cluster.
func (c *Connection) OwnPod() (Pod, bool) { return podOf(c.Config) }

func podOf(config *rest.Config) (Pod, bool) {
	if config == nil {
		return Pod{}, false
	}
	token := config.BearerToken
	if config.BearerTokenFile != "" {
		content, err := os.ReadFile(config.BearerTokenFile)
		if err != nil {
			return Pod{}, false // the requests themselves say what is wrong with it
		}
		token = strings.TrimSpace(string(content))
	}
	return podInToken(token)
}

// podInToken reads the claims of a token that is bound to a pod. It does not verify the token: the API server does.
func podInToken(token string) (Pod, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return Pod{}, false
	}
	content, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return Pod{}, false
	}
	var claims struct {
		Kubernetes struct {
			Namespace string `json:"namespace"`
			Pod       struct {
				Name string `json:"name"`
				UID  string `json:"uid"`
			} `json:"pod"`
		} `json:"kubernetes.io"`
	}
	if json.Unmarshal(content, &claims) != nil {
		return Pod{}, false
	}
	return ParsePod(Pod{claims.Kubernetes.Namespace, claims.Kubernetes.Pod.Name, claims.Kubernetes.Pod.UID}.String())
}
