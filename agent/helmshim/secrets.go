package helmshim

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// decrypt prints the plaintext and nothing else: helmfile takes all of stdout for it.
func decrypt() *cobra.Command {
	return &cobra.Command{Use: "decrypt", Aliases: []string{"view", "dec"}, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			plain, err := decryptFile(c.Context(), args[0])
			if err != nil {
				return fmt.Errorf("decrypt %s: %w", args[0], err)
			}
			_, err = c.OutOrStdout().Write(plain)
			return err
		}}
}

// decryptFile has the agent decrypt: this process has no keys.
func decryptFile(ctx context.Context, path string) ([]byte, error) {
	if err := sandbox.RootsFromEnvironment().Check(path); err != nil {
		return nil, err
	}
	agent, err := broker.FromEnvironment()
	if err != nil {
		return nil, err
	}
	encrypted, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return agent.Decrypt(ctx, broker.Encrypted{Name: path, Content: encrypted})
}
