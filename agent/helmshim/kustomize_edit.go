package helmshim

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/yaml"
)

// editCommand is one command of `kustomize edit set`. It changes the kustomization of the working directory.
func editCommand(name string, args cobra.PositionalArgs, change func(kustomization map[string]any, args []string) error) *cobra.Command {
	return &cobra.Command{Use: name, Args: args, RunE: func(_ *cobra.Command, args []string) error {
		file, err := kustomizationFile()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		content := map[string]any{}
		if err := yaml.Unmarshal(data, &content); err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		if err := change(content, args); err != nil {
			return err
		}
		if data, err = yaml.Marshal(content); err != nil {
			return err
		}
		return os.WriteFile(file, data, 0o644)
	}}
}

func kustomizationFile() (string, error) {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if _, err := os.Stat(name); err == nil {
			return name, nil
		}
	}
	return "", errors.New("the working directory has no kustomization file")
}

func setField(field string) func(map[string]any, []string) error {
	return func(kustomization map[string]any, args []string) error {
		kustomization[field] = args[0]
		return nil
	}
}

// setImages replaces the entries of the named images. Other entries stay unchanged.
func setImages(kustomization map[string]any, args []string) error {
	images := map[string]map[string]any{}
	existing, _ := kustomization["images"].([]any) // kustomize would refuse a value that is not a list
	for _, e := range existing {
		if image, ok := e.(map[string]any); ok {
			images[fmt.Sprint(image["name"])] = image
		}
	}
	for _, arg := range args {
		image, err := parseImage(arg)
		if err != nil {
			return err
		}
		images[image["name"].(string)] = image
	}
	list := make([]any, 0, len(images))
	for _, image := range images {
		list = append(list, image)
	}
	slices.SortFunc(list, func(a, b any) int {
		return cmp.Compare(fmt.Sprint(a.(map[string]any)["name"]), fmt.Sprint(b.(map[string]any)["name"]))
	})
	kustomization["images"] = list
	return nil
}

// parseImage parses name[=newName][:newTag][@digest].
func parseImage(arg string) (map[string]any, error) {
	name, rest, renamed := strings.Cut(arg, "=")
	if !renamed {
		rest = arg
	}
	rest, digest, _ := strings.Cut(rest, "@")
	tag := ""
	if colon := strings.LastIndex(rest, ":"); colon > strings.LastIndex(rest, "/") {
		rest, tag = rest[:colon], rest[colon+1:]
	}
	image := map[string]any{"name": rest}
	if renamed {
		image = map[string]any{"name": name, "newName": rest}
	}
	if image["name"] == "" || renamed && rest == "" || tag == "" && digest == "" && !renamed {
		return nil, fmt.Errorf("image %q: expected name[=newName][:newTag][@digest]", arg)
	}
	if tag != "" {
		image["newTag"] = tag
	}
	if digest != "" {
		image["digest"] = digest
	}
	return image, nil
}
