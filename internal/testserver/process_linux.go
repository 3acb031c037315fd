package testserver

import (
	"os/exec"
	"syscall"
)

// contain puts the server in a process group of its own, and has the kernel end
// it with the test, which may be killed before it cleans up.
func contain(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func kill(cmd *exec.Cmd) {
	// An error means that it is gone.
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
}
