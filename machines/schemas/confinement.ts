/** What stands between a container and its host, in words for people. */
import * as z from 'zod'

export const confinementSchema = z.object({
  /** Of system calls: `default`, `unconfined`, the file of a profile, or `bundle` for one that came with it. */
  seccomp: z.string(),
  /** The profile, or `unconfined`. */
  apparmor: z.string(),
  /** The label, where a bundle has one. */
  selinux: z.string().optional(),
  /** Setuid programs and file capabilities give nothing. */
  noNewPrivileges: z.boolean(),
  /** What the kernel tells of the host in /proc and /sys is hidden or read-only. */
  masked: z.boolean(),
  /** The most that any of its processes can have. */
  capabilities: z.array(z.string()),
  /** What was to protect and cannot on this host: one sentence each. */
  lacks: z.array(z.string()).optional(),
})
export type Confinement = z.infer<typeof confinementSchema>

/** What a node can confine its containers with. */
export const nodeConfinementSchema = z.object({
  /** In force where a container asks for nothing else: `default`, or the file of the administrator's profile. */
  seccomp: z.string(),
  /** What no container here is protected by: one sentence each. */
  lacks: z.array(z.string()),
})
export type NodeConfinement = z.infer<typeof nodeConfinementSchema>
