package enclosure

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// stageVariable names the environment variable with the stage of the program, which runs itself twice. In the enclosure, its value is the
// name of the control group.
const stageVariable = "HELMFILE_AGENT_ENCLOSURE"

const namespaces = syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS

// Run runs this program again in the enclosure, and returns the exit code. In the enclosure, Run calls inside with the path of the control
// group. Call Run before anything else, in TestMain or main.
func Run(inside func(cgroup string) int) int {
	stage, group, _ := strings.Cut(os.Getenv(stageVariable), ":")
	switch stage {
	case "init":
		return report(supervise(group))
	case "inside":
		return inside(group)
	default:
		return report(enclose())
	}
}

func report(code int, err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, "enclosure:", err)
		return 1
	}
	return code
}

// enclose starts the first process of the enclosure and waits for it. When this process dies, even by SIGKILL, the kernel kills the first
// process, and with it all processes in the enclosure.
func enclose() (code int, err error) {
	if os.Geteuid() != 0 {
		return 0, errors.New("a Kubernetes node needs root")
	}
	group, err := makeGroup()
	if err != nil {
		return 0, err
	}
	// The kernel sends the parent's death signal when the thread that started the child ends.
	runtime.LockOSThread()
	cmd := again("init:" + group)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
	err = cmd.Run()
	if exited := (*exec.ExitError)(nil); errors.As(err, &exited) {
		code, err = exited.ExitCode(), nil
	} else if err != nil {
		err = fmt.Errorf("make namespaces, which a virtual machine allows, and a privileged container: %w", err)
	}
	return code, errors.Join(err, removeGroup(group))
}

// again returns a command for this program with the same arguments, at another stage.
func again(stage string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), stageVariable+"="+stage)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd
}
