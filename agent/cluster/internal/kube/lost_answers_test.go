package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
)

// unreliable is an API server that knows one ConfigMap, and that loses answers.
type unreliable struct {
	loses func(w http.ResponseWriter, do func(http.ResponseWriter)) // the first write; nil loses nothing
	live  *corev1.ConfigMap
	asked []string
	lost  bool
}

func (u *unreliable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.asked = append(u.asked, r.Method)
	w.Header().Set("Content-Type", "application/json")
	body, _ := io.ReadAll(r.Body)
	do := func(w http.ResponseWriter) { u.do(w, r, body) }
	if r.Method != http.MethodGet && !u.lost && u.loses != nil {
		u.lost = true
		u.loses(w, do)
		return
	}
	do(w)
}

func (u *unreliable) do(w http.ResponseWriter, r *http.Request, body []byte) {
	var sent corev1.ConfigMap
	if json.Unmarshal(body, &sent) != nil {
		_, _, _ = scheme.Codecs.UniversalDeserializer().Decode(body, nil, &sent) // what it is not stays empty
	}
	switch {
	case r.Method == http.MethodPost && u.live != nil:
		refuse(w, http.StatusConflict, metav1.StatusReasonAlreadyExists)
	case r.Method == http.MethodPost:
		sent.CreationTimestamp, sent.ResourceVersion = metav1.Now(), "1"
		u.live = &sent
		_ = json.NewEncoder(w).Encode(u.live)
	case u.live == nil:
		refuse(w, http.StatusNotFound, metav1.StatusReasonNotFound)
	case r.Method == http.MethodPut && sent.ResourceVersion != "" && sent.ResourceVersion != u.live.ResourceVersion:
		refuse(w, http.StatusConflict, metav1.StatusReasonConflict)
	case r.Method == http.MethodPut:
		sent.CreationTimestamp, sent.ResourceVersion = u.live.CreationTimestamp, u.live.ResourceVersion+"1"
		u.live = &sent
		_ = json.NewEncoder(w).Encode(u.live)
	case r.Method == http.MethodPatch:
		u.live.Data = sent.Data
		_ = json.NewEncoder(w).Encode(u.live)
	case r.Method == http.MethodDelete:
		u.live = nil
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Success"}`)
	default:
		_ = json.NewEncoder(w).Encode(u.live)
	}
}

func refuse(w http.ResponseWriter, code int, reason metav1.StatusReason) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Reason: reason, Code: int32(code), Message: string(reason)})
}

// lossy are the ways to lose an answer, before and after the API server has done what it was asked.
var lossy = map[string]func(http.ResponseWriter, func(http.ResponseWriter)){
	"nothing is lost":              nil,
	"the connection breaks before": func(http.ResponseWriter, func(http.ResponseWriter)) { panic(http.ErrAbortHandler) },
	"the connection breaks after": func(_ http.ResponseWriter, do func(http.ResponseWriter)) {
		do(httptest.NewRecorder())
		panic(http.ErrAbortHandler)
	},
	"the API server fails before": func(w http.ResponseWriter, _ func(http.ResponseWriter)) {
		http.Error(w, "broken", http.StatusInternalServerError)
	},
	"a gateway gives up after": func(w http.ResponseWriter, do func(http.ResponseWriter)) {
		do(httptest.NewRecorder())
		http.Error(w, "slow", http.StatusGatewayTimeout)
	},
	"it is unavailable for a while": func(w http.ResponseWriter, _ func(http.ResponseWriter)) {
		http.Error(w, "away", http.StatusServiceUnavailable)
	},
	"the body breaks off after": func(w http.ResponseWriter, do func(http.ResponseWriter)) {
		answer := httptest.NewRecorder()
		do(answer)
		w.Header().Set("Content-Length", fmt.Sprint(answer.Body.Len()))
		_, _ = w.Write(answer.Body.Bytes()[:answer.Body.Len()/2])
		panic(http.ErrAbortHandler)
	},
}

func (u *unreliable) client(t *testing.T) kubernetes.Interface {
	t.Helper()
	server := httptest.NewServer(u)
	t.Cleanup(server.Close)
	config := &rest.Config{Host: server.URL, QPS: unlimited}
	config.Wrap(transport.WrapperFunc(func(next http.RoundTripper) http.RoundTripper { return lostAnswers{next, time.Millisecond} }))
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func configMap(color, version string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "web", ResourceVersion: version}, Data: map[string]string{"color": color}}
}

func TestAWriteWhoseAnswerWasLostIsDoneOnce(t *testing.T) {
	ctx := context.Background()
	for name, loses := range lossy {
		t.Run(name, func(t *testing.T) {
			u := &unreliable{loses: loses}
			configMaps := u.client(t).CoreV1().ConfigMaps("shop")
			created, err := configMaps.Create(ctx, configMap("blue", ""), metav1.CreateOptions{})
			if err != nil || created.Data["color"] != "blue" {
				t.Fatalf("create: %v %v", created, err)
			}
			u.lost = false
			updated, err := configMaps.Update(ctx, configMap("red", created.ResourceVersion), metav1.UpdateOptions{})
			if err != nil || updated.Data["color"] != "red" || updated.ResourceVersion != "11" {
				t.Fatalf("update: %v %v", updated, err)
			}
			u.lost = false
			if _, err := configMaps.Patch(ctx, "web", types.MergePatchType, []byte(`{"data":{"color":"green"}}`), metav1.PatchOptions{}); err != nil || u.live.Data["color"] != "green" {
				t.Fatalf("patch: %v %v", u.live, err)
			}
			u.lost = false
			if err := configMaps.Delete(ctx, "web", metav1.DeleteOptions{}); err != nil || u.live != nil {
				t.Errorf("delete: %v %v", u.live, err)
			}
		})
	}
}

// TestAForeignObjectIsNotTakenForTheOwn: another client has made it meanwhile, or before.
func TestAForeignObjectIsNotTakenForTheOwn(t *testing.T) {
	belongs := func(name string, c *corev1.ConfigMap) *corev1.ConfigMap {
		c.Annotations = map[string]string{NameAnnotation: name, NamespaceAnnotation: "shop"}
		return c
	}
	made := func(ago time.Duration, c *corev1.ConfigMap) *corev1.ConfigMap {
		c.CreationTimestamp = metav1.NewTime(time.Now().Add(-ago))
		return c
	}
	for name, test := range map[string]struct {
		live, posted *corev1.ConfigMap
		own          bool
	}{
		"with another content":                   {made(0, configMap("red", "")), configMap("blue", ""), false},
		"with the same content, but older":       {made(time.Minute, configMap("blue", "")), configMap("blue", ""), false},
		"with the same content, made since":      {made(0, configMap("blue", "")), configMap("blue", ""), true},
		"of another release":                     {made(0, belongs("other", configMap("blue", ""))), belongs("web", configMap("blue", "")), false},
		"of no release":                          {made(0, configMap("blue", "")), belongs("web", configMap("blue", "")), false},
		"of the same release, changed meanwhile": {made(0, belongs("web", configMap("red", ""))), belongs("web", configMap("blue", "")), true},
	} {
		t.Run(name, func(t *testing.T) {
			u := &unreliable{}
			u.loses = func(http.ResponseWriter, func(http.ResponseWriter)) { u.live = test.live; panic(http.ErrAbortHandler) }
			_, err := u.client(t).CoreV1().ConfigMaps("shop").Create(t.Context(), test.posted, metav1.CreateOptions{})
			if (err == nil) != test.own {
				t.Errorf("own: %t, error: %v", test.own, err)
			}
		})
	}
}

// TestWhatIsNotLostIsNotRepeated also bounds the repetitions.
func TestWhatIsNotLostIsNotRepeated(t *testing.T) {
	for name, test := range map[string]struct {
		code int
		want string
	}{
		"a refusal":          {http.StatusForbidden, "POST"},
		"a conflict":         {http.StatusConflict, "POST"},
		"a failure for good": {http.StatusInternalServerError, "POST POST POST POST"},
	} {
		t.Run(name, func(t *testing.T) {
			u := &unreliable{}
			u.loses = func(w http.ResponseWriter, _ func(http.ResponseWriter)) {
				u.lost = false
				refuse(w, test.code, "Because")
			}
			_, err := u.client(t).CoreV1().ConfigMaps("shop").Create(t.Context(), configMap("blue", ""), metav1.CreateOptions{})
			if diff := cmp.Diff(test.want, strings.Join(u.asked, " ")); diff != "" || err == nil {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

// TestAnEndedRequestIsNotRepeated: a run that must stop does not wait.
func TestAnEndedRequestIsNotRepeated(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	u := &unreliable{}
	u.loses = func(http.ResponseWriter, func(http.ResponseWriter)) { cancel(); panic(http.ErrAbortHandler) }
	if _, err := u.client(t).CoreV1().ConfigMaps("shop").Create(ctx, configMap("blue", ""), metav1.CreateOptions{}); err == nil || len(u.asked) != 1 {
		t.Errorf("%v %v", u.asked, err)
	}
}

// TestReadsAreRepeatedToo, unless they wait for what is to come, or another server may be asked that no release needs.
func TestReadsAreRepeatedToo(t *testing.T) {
	for path, want := range map[string]int{
		"/api/v1/namespaces/shop/configmaps/web":    2,
		"/apis/apps/v1/namespaces/shop/deployments": 2,
		"/version": 2,
		"/api/v1/namespaces/shop/configmaps?watch=true": 1,
		"/apis":                        1,
		"/apis/metrics.k8s.io/v1beta1": 1,
		"/openapi/v3":                  1,
	} {
		asked := 0
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			if asked++; asked == 1 {
				panic(http.ErrAbortHandler)
			}
		}))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		// Go repeats some requests by itself, but not on a new connection.
		response, err := lostAnswers{&http.Transport{DisableKeepAlives: true}, time.Millisecond}.RoundTrip(request)
		if err == nil {
			_ = response.Body.Close()
		}
		server.Close()
		if asked != want || (err == nil) != (want > 1) {
			t.Errorf("%s: asked %d times: %v", path, asked, err)
		}
	}
}
