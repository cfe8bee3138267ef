package helmshim

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// decryptCommand prints only the plaintext, because helmfile reads all of stdout as the plaintext.
func decryptCommand() *cobra.Command {
	return &cobra.Command{Use: "decrypt", Aliases: []string{"view", "dec"}, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			plaintext, err := decryptFile(c.Context(), args[0])
			if err != nil {
				return fmt.Errorf("decrypt %s: %w", args[0], err)
			}
			_, err = c.OutOrStdout().Write(plaintext)
			return err
		}}
}

// decryptFile lets the agent decrypt the file, because this process has no keys.
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
	return agent.Decrypt(ctx, broker.EncryptedFile{Name: path, Content: encrypted})
}
