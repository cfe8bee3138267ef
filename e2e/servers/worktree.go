package servers

import "fmt"

// CommitDir commits a directory, with its symbolic links and file modes, as the first commit of an empty repository.
func (r *Repo) CommitDir(dir, message string) error {
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=" + r.branch},
		{"add", "--all", "--force"},
		{"-c", "user.name=Mallory", "-c", "user.email=mallory@example.com", "commit", "--quiet", "--message=" + message},
		{"push", "--quiet", r.Dir, r.branch},
	} {
		if _, err := git(dir, nil, args...); err != nil {
			return fmt.Errorf("commit the directory %s: %w", dir, err)
		}
	}
	return nil
}
