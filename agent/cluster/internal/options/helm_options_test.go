package options

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/action"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// reach maps each option to the fields of Helm's actions that it changes. An option without fields is used elsewhere.
var reach = map[string][]string{
	"Atomic":                   {"install.Wait=true", "upgrade.Wait=true"},
	"Cascade":                  {"uninstall.DeletionPropagation=text"},
	"CleanupOnFail":            {"upgrade.CleanupOnFail=true"},
	"CreateNamespace":          nil, // package action creates the namespace
	"DeleteTimeout":            nil, // package action limits it by the time that the run has left
	"DeleteWait":               {"uninstall.Wait=true"},
	"Description":              {"install.Description=text", "upgrade.Description=text"},
	"DisableHooks":             {"install.DisableHooks=true", "uninstall.DisableHooks=true", "upgrade.DisableHooks=true"},
	"DisableOpenAPIValidation": {"install.DisableOpenAPIValidation=true", "upgrade.DisableOpenAPIValidation=true"},
	"EnableDNS":                {"install.EnableDNS=true", "upgrade.EnableDNS=true"},
	"Force":                    {"install.Force=true", "upgrade.Force=true"},
	"HistoryMax":               {"upgrade.MaxHistory=7"},
	"Labels":                   {"install.Labels=map[team:shop]", "upgrade.Labels=map[team:shop]"},
	"RecreatePods":             {"upgrade.Recreate=true"},
	"ReinstallIfForbidden":     nil, // package action uninstalls and installs
	"ReuseValues":              {"upgrade.ResetValues=false", "upgrade.ReuseValues=true"},
	"ResetThenReuseValues":     {"upgrade.ResetThenReuseValues=true", "upgrade.ResetValues=false"},
	"SkipCRDs":                 {"install.SkipCRDs=true", "upgrade.SkipCRDs=true"},
	"SkipSchemaValidation":     {"install.SkipSchemaValidation=true", "upgrade.SkipSchemaValidation=true"},
	"SubNotes":                 {"install.SubNotes=true", "upgrade.SubNotes=true"},
	"TakeOwnership":            {"install.TakeOwnership=true", "upgrade.TakeOwnership=true"},
	"Timeout":                  nil, // package action limits it by the time that the run has left
	"Wait":                     {"install.Wait=true", "upgrade.Wait=true"},
	"WaitForJobs":              {"install.WaitForJobs=true", "upgrade.WaitForJobs=true"},
}

func TestEachOptionReachesHelm(t *testing.T) {
	all := reflect.TypeFor[release.Options]()
	for i := range all.NumField() {
		name := all.Field(i).Name
		t.Run(name, func(t *testing.T) {
			want, ok := reach[name]
			if !ok {
				t.Fatal("the table does not say which fields of Helm the option changes")
			}
			var o release.Options
			set(t, reflect.ValueOf(&o).Elem().Field(i))
			if diff := cmp.Diff(want, changes(release.Options{}, o)); diff != "" {
				t.Errorf("fields of Helm (-want +got):\n%s", diff)
			}
		})
	}
	if all.NumField() != len(reach) {
		t.Errorf("there are %d options, and %d in the table", all.NumField(), len(reach))
	}
}

// set gives an option a value that is not its default.
func set(t *testing.T, option reflect.Value) {
	t.Helper()
	switch option.Interface().(type) {
	case bool:
		option.SetBool(true)
	case int, time.Duration:
		option.SetInt(7)
	case string:
		option.SetString("text")
	case map[string]string:
		option.Set(reflect.ValueOf(map[string]string{"team": "shop"}))
	default:
		t.Fatalf("this test knows no value of the type %s", option.Type())
	}
}

// changes are the fields of Helm's actions that have other values with the second options than with the first.
func changes(from, to release.Options) []string {
	before, after := fields(from), fields(to)
	var all []string
	for field, value := range after {
		if value != before[field] {
			all = append(all, field+"="+value)
		}
	}
	slices.Sort(all)
	return all
}

func fields(o release.Options) map[string]string {
	want := release.Desired{Key: release.Key{Namespace: "shop", Name: "web"}, Options: o}
	all := map[string]string{}
	config := new(action.Configuration)
	addFields(all, "install.", reflect.ValueOf(NewInstall(config, want)).Elem())
	addFields(all, "upgrade.", reflect.ValueOf(NewUpgrade(config, want)).Elem())
	addFields(all, "uninstall.", reflect.ValueOf(NewUninstall(config, want)).Elem())
	return all
}

func addFields(all map[string]string, prefix string, from reflect.Value) {
	for i := range from.NumField() {
		if field := from.Type().Field(i); field.IsExported() && !field.Anonymous && field.Name != "Lock" {
			all[prefix+field.Name] = fmt.Sprint(from.Field(i).Interface())
		}
	}
}

func TestDefaultsOfHelmActions(t *testing.T) {
	got := fields(release.Options{})
	for field, want := range map[string]string{
		"install.ReleaseName":           "web",
		"install.Namespace":             "shop",
		"install.Wait":                  "false",
		"install.Atomic":                "false",
		"upgrade.Namespace":             "shop",
		"upgrade.Atomic":                "false",
		"upgrade.ResetValues":           "true",
		"upgrade.MaxHistory":            "0",
		"uninstall.DeletionPropagation": "background",
		"uninstall.KeepHistory":         "false",
	} {
		if got[field] != want {
			t.Errorf("%s is %q, want %q", field, got[field], want)
		}
	}
}

// TestHelmDoesNotRollBack: package action rolls back an atomic release itself.
func TestHelmDoesNotRollBack(t *testing.T) {
	got := fields(release.Options{Atomic: true})
	if got["install.Atomic"] != "false" || got["upgrade.Atomic"] != "false" {
		t.Errorf("install.Atomic is %s and upgrade.Atomic is %s", got["install.Atomic"], got["upgrade.Atomic"])
	}
}

func TestTimeoutOfARelease(t *testing.T) {
	for given, want := range map[time.Duration]time.Duration{0: 5 * time.Minute, time.Second: time.Second, time.Hour: time.Hour} {
		if got := Timeout(given); got != want {
			t.Errorf("%s becomes %s, want %s", given, got, want)
		}
	}
}
