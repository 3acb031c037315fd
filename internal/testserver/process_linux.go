package testserver

import (
	"os"
	"os/exec"
	"syscall"
)

// contain puts the server in a process group of its own, and has the kernel end
// it with the test, which may be killed before it cleans up.
func contain(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// isolate gives the server a network of its own. Who is not root needs a namespace
// of users for that, which some systems refuse.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNET
	if uid := os.Getuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		gid := os.Getgid()
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
	}
}

func kill(cmd *exec.Cmd) {
	// An error means that it is gone.
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
}
