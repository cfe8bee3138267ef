// Package source turns a repository and a ref into a directory and a revision. It is the only door to go-git.
//
// In go a [Request] and a directory that the caller owns; out come the files of one commit in that directory and a
// [Revision] that says which commit it is. [Local] does the same for a checkout that exists already, and writes nothing.
//
// A clone is one listing of the remote's refs and then one shallow fetch of one of them. Only two things need the whole
// history: a commit that is no ref's tip, on servers that refuse to hand out single commits, and an abbreviated commit.
// Submodules and Git LFS objects are not fetched; the .git directory stays beside the files and holds no credentials.
// file:// URLs and absolute paths are read in this process, without a git binary, with their whole history.
//
// The author of a repository is not trusted: what a clone may bring is bounded by [Limits], no file in it can be executed, and no
// symbolic link leads out of it. Credentials go to the repository's own server only.
//
// Errors carry the exit codes SourceUnreachable (another try may help), SourceRefused (it cannot) and ConfigInvalid (for
// unusable key, host key and certificate files, and for credentials over plain http). Where ctx is cancelled they carry none: the caller knows why it was.
//
// It may import exit and config (for its Secret) and no other room.
package source
