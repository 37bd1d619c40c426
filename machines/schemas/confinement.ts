/** How a container is isolated from its host, as it is shown to users. */
import * as z from 'zod'

export const confinementSchema = z.object({
  /** The system call filter: `default`, `unconfined`, the path of a profile, or `bundle` when the bundle contains one. */
  seccomp: z.string(),
  /** The name of the profile, or `unconfined`. */
  apparmor: z.string(),
  /** The label, if the bundle has one. */
  selinux: z.string().optional(),
  /** Setuid programs and file capabilities give no privileges. */
  noNewPrivileges: z.boolean(),
  /** Files in /proc and /sys that describe the host are hidden or read-only. */
  masked: z.boolean(),
  /** The bounding set: no process of the container can have any other capability. */
  capabilities: z.array(z.string()),
  /** Protections that were requested but that this host lacks, one sentence each. */
  lacks: z.array(z.string()).optional(),
})
export type Confinement = z.infer<typeof confinementSchema>

/** The isolation that a node gives to its containers. */
export const nodeConfinementSchema = z.object({
  /** The system call filter of containers that choose none: `default`, or the path of the administrator's profile. */
  seccomp: z.string(),
  /** Protections that no container on this node can have, one sentence each. */
  lacks: z.array(z.string()),
})
export type NodeConfinement = z.infer<typeof nodeConfinementSchema>
