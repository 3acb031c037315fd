// Package posture finds out how minimal and hardened an image is: facts about its
// files and configuration, as in-toto SCAI v0.3 attributes.
//
// # Where to start
//
// [Assess] judges what one pass over the layers saw (package sbom, Scan); nothing is
// read again. [Encode] writes the result as the predicate of a statement, [Read]
// reads one, and [Compare] holds a claim that somebody signed against what the rules
// say of the bytes at hand.
//
// # Rules
//
// [Rules] lists them. Each answers one question with proven, refuted or unknown, and
// names the paths that refute it. "CIS" is the CIS Docker Benchmark 1.6.0, "PSS" the
// Kubernetes Pod Security Standards.
//
// Stage minimal, files of the merged file system:
//
//	POSTURE_NO_SHELL            no executable named like a shell or a multi-call
//	                            binary that holds one, in any folder   CIS 4.3
//	POSTURE_NO_PACKAGE_MANAGER  no executable of a distribution's or language's
//	                            package manager; its database is fine  CIS 4.3
//	POSTURE_NO_COMPILER         no compiler, linker or build tool      CIS 4.3
//	POSTURE_NO_DEBUG_TOOLS      no debugger or tracer                  CIS 4.3
//	POSTURE_NO_NETWORK_TOOLS    no client, scanner or remote shell     CIS 4.3, 5.7
//	POSTURE_NO_DOCS             no manual pages, info files and package
//	                            documentation; texts of licences stay  CIS 4.3
//	POSTURE_NO_CACHE            no caches of package managers and build tools, no
//	                            .cache folders. __pycache__ is none: without it a
//	                            read-only root compiles at every start CIS 4.3
//	POSTURE_NO_VCS              no .git, .svn, .hg, .bzr, CVS          CIS 4.3
//	POSTURE_NO_DELETED_FILES    no file that a later layer deleted: everybody who
//	                            pulls the image still gets it          CIS 4.10
//
// Stage hardened, configuration and files:
//
//	POSTURE_NONROOT_USER        the default user, resolved by the image's etc/passwd
//	                            and etc/group as runtimes do, is not uid 0; one that
//	                            does not resolve is refuted            CIS 4.1, PSS restricted
//	POSTURE_NUMERIC_USER        the default user is a number, so that Kubernetes can
//	                            check runAsNonRoot                     PSS restricted
//	POSTURE_NO_SETUID           no setuid or setgid file; a setgid folder passes on
//	                            its group and is no finding            CIS 4.8
//	POSTURE_NO_FILE_CAPABILITIES  no file gives capabilities           CIS 4.8
//	POSTURE_NO_WORLD_WRITABLE   nothing that everybody may write: no file, and no
//	                            folder without the sticky bit. Left out are tmp,
//	                            var/tmp, run, dev, proc and sys, and declared volumes
//	                            outside of system folders
//	POSTURE_NO_USER_WRITABLE_EXECUTION_PATH
//	                            the runtime user can neither change nor replace what
//	                            is executed: the command and the files among its
//	                            arguments, dynamic loaders, the folders of PATH and
//	                            LD_LIBRARY_PATH, with all folders and links on the
//	                            way. Who owns a file can write it, whatever its mode
//	POSTURE_NO_ENV_SECRETS      no environment variable of the configuration looks
//	                            like a secret, by its name or its value  CIS 4.10
//
// # What is not known
//
// A rule is unknown, and proves nothing, where its facts are not at hand: a folder
// has no configuration and no layers; a user that does not resolve has no files; the
// rules are for Linux, and for other platforms all of them are unknown. They are
// unknown too where container runtimes would not unpack the same files
// (sbom.Contents.Ambiguous), unless something refutes them. So are all but those of the
// configuration alone where a layer was read by its table of contents (sbom.Layer.TOC):
// nobody compared the table with the files that a runtime unpacks. What the table itself
// tells against an image refutes all the same.
//
// Files are judged by name, mode and owner. A shell under another name, a script
// that is an interpreter's argument inside a shell command, debug symbols and secrets
// inside of files are not seen: no content is read.
package posture
