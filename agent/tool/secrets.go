package tool

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
)

// decryptFile is a variable for the tests' sake.
var decryptFile = secrets.Ask

// decrypt prints the plaintext and nothing else: helmfile takes all of stdout for it.
func decrypt() *cobra.Command {
	return &cobra.Command{Use: "decrypt", Aliases: []string{"view", "dec"}, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			plain, err := decryptFile(args[0])
			if err != nil {
				return fmt.Errorf("decrypt %s: %w", args[0], err)
			}
			_, err = c.OutOrStdout().Write(plain)
			return err
		}}
}
