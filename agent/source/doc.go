// Package source turns a repository and a ref into a directory and a revision. It is the only package that uses go-git.
//
// [Clone] gets a [Request] and a directory that the caller owns. It writes the files of one commit into that directory, and returns their
// [Revision]. [CopyLocal] does the same for a local directory, without a clone.
//
// A clone lists the refs of the remote, and then fetches one of them without its history. Only two kinds of refs need the whole history: an
// abbreviated commit, and a commit that no ref points to, if the server refuses to send single commits. Submodules and Git LFS objects are
// not fetched. The directory .git stays beside the files and contains no credentials. file:// URLs and absolute paths are read in this
// process, without a git binary, and with their whole history.
//
// The author of the repository is not trusted. [Limits] bound the number and the sizes of files, no file can be executed, and no symbolic
// link leads out of the directory. Credentials go only to the server of the repository.
//
// Errors have the exit codes SourceUnreachable (another try may help), SourceRefused (another try cannot help) and ConfigInvalid (an
// invalid file with keys, host keys or certificates, or credentials over plain http). If ctx was cancelled, the error has no exit code.
//
// It may import exit, egress, config, source/revision and source/limits.
package source
