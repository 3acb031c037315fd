package sbom

import (
	"encoding/binary"
	"strconv"

	"github.com/assaykit/assay"
)

// Capabilities are the file capabilities of an executable: what a process gets by
// running it, whoever runs it (capabilities(7); struct vfs_cap_data of
// linux/capability.h).
type Capabilities struct {
	// Revision is 1, 2 or 3; zero is no capabilities.
	Revision int
	// Effective tells that the permitted set is in effect right after the exec.
	Effective bool
	// Permitted and Inheritable have bit n set for capability number n.
	Permitted, Inheritable uint64
	// RootID is the user id, in the outermost namespace, of the user namespace's
	// root that the capabilities hold for; revision 3 only.
	RootID uint32
}

// IsZero reports whether running the file gives nothing.
func (c Capabilities) IsZero() bool { return c.Permitted == 0 && c.Inheritable == 0 }

// Names gives the permitted and inheritable capabilities by name ("cap_net_raw"),
// in the order of their numbers. One without a name is "cap_N".
func (c Capabilities) Names() []string {
	var names []string
	for n := range 64 {
		if (c.Permitted|c.Inheritable)>>n&1 == 0 {
			continue
		}
		if n < len(capabilityNames) {
			names = append(names, "cap_"+capabilityNames[n])
		} else {
			names = append(names, "cap_"+strconv.Itoa(n))
		}
	}
	return names
}

// DecodeCapabilities reads the value of the extended attribute
// security.capability. Its length must be that of its revision, as Linux demands.
func DecodeCapabilities(raw []byte) (Capabilities, *assay.Error) {
	bad := func(want string) *assay.Error {
		return &assay.Error{Op: "decode file capabilities", Kind: assay.ErrInvalid,
			Field: "security.capability", Value: string(raw), Bound: want}
	}
	if len(raw) < 4 {
		return Capabilities{}, bad("at least 4 bytes")
	}
	word := func(n int) uint32 { return binary.LittleEndian.Uint32(raw[4*n:]) }
	magic := word(0)
	c := Capabilities{Revision: int(magic >> 24), Effective: magic&1 != 0}
	if magic&0x00fffffe != 0 {
		return Capabilities{}, bad("no flag but effective")
	}
	length, ok := map[int]int{1: 12, 2: 20, 3: 24}[c.Revision]
	if !ok {
		return Capabilities{}, bad("revision 1, 2 or 3")
	}
	if len(raw) != length {
		return Capabilities{}, bad(strconv.Itoa(length) + " bytes")
	}
	c.Permitted, c.Inheritable = uint64(word(1)), uint64(word(2))
	if c.Revision >= 2 {
		c.Permitted |= uint64(word(3)) << 32
		c.Inheritable |= uint64(word(4)) << 32
	}
	if c.Revision == 3 {
		c.RootID = word(5)
	}
	return c, nil
}

// capabilityNames are by number (linux/capability.h).
var capabilityNames = [...]string{
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid",
	"setpcap", "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
	"sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
	"sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
	"mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
	"checkpoint_restore",
}
