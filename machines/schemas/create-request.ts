/**
 * The request of `create`, as it crosses the wire. Unknown fields are refused: a misspelt limit is an error, and does not
 * result in a container without the limit.
 */
import * as z from 'zod'
import {absolutePath, argument, consoleSizeSchema, environmentVariable} from './fields.ts'
import {restoreSpecSchema} from './checkpoint.ts'
import {idPattern, idSchema} from '../ledger/ids.ts'
import {healthCheckSchema} from './health.ts'
import {mountSchema} from './mounts.ts'
import {type RestartPolicy, restartPolicySchema} from './restart-policy.ts'
import {ulimitNames} from './ulimits.ts'
import {cpuSharesSchema, cpusetCpusSchema, cpusSchema, memoryBytesSchema, memorySwapBytesSchema, pidsLimitSchema} from './limits.ts'

export {type Mount, mountSchema} from './mounts.ts'

/** How the OCI runtime is called for this container, like containerd's options for runc. */
export const runtimeOptionsSchema = z.strictObject({
  /** Name or path, such as `crun`; by default the runtime of the node. */
  binary: argument.min(1).optional(),
  /** The directory of the runtime's state; by default one that belongs to the node. */
  root: absolutePath.optional(),
  /** Use chroot(2) instead of pivot_root(2), which does not work when the root file system of the host is an initrd. */
  noPivot: z.boolean().optional(),
  /** Share the session keyring of the node. */
  noNewKeyring: z.boolean().optional(),
  /** Let systemd create the cgroup. */
  systemdCgroup: z.boolean().optional(),
})
export type RuntimeOptions = z.infer<typeof runtimeOptionsSchema>

const common = {
  /** By default the coordinator chooses one. */
  id: idSchema.optional(),
  namespace: idSchema.default('default'),
  /** Delete the container when it has stopped. */
  autoRemove: z.boolean().default(false),
  /** For the caller's own use: Tallyman does not interpret them. */
  labels: z.record(z.string().min(1), z.string()).optional(),
  runtime: runtimeOptionsSchema.optional(),
  /** Log rotation: a line that would make a file larger than `maxBytes` begins the next; the last `maxFiles` are kept. None by default. */
  log: z.strictObject({maxBytes: z.int().min(1), maxFiles: z.int().min(1).max(1_000)}).optional(),
  /** The container has an input that clients can write to and close; otherwise it reads end of file. */
  stdin: z.boolean().optional(),
  /** The initial size of the terminal, 80 by 24 by default. */
  consoleSize: consoleSizeSchema.optional(),
  /** `start` restores the processes of this checkpoint instead of executing a program. */
  checkpoint: restoreSpecSchema.optional(),
  /** Whether the container is started again after it has ended by itself; by default it is not. */
  restart: restartPolicySchema.optional(),
  /** How to find out whether the container is healthy; by default it is not checked. */
  healthCheck: healthCheckSchema.optional(),
}

/** A container that is removed when it stops cannot be restarted. */
const hasOneEnding = ({autoRemove, restart}: {readonly autoRemove: boolean; readonly restart?: RestartPolicy | undefined}) =>
  !autoRemove || restart === undefined || restart.policy === 'no'
const oneEnding = {error: 'expected no restart policy with autoRemove: what is removed cannot be started again', path: ['restart']}

/** A device of the node; by default it has the same path in the container. */
export const deviceSchema = z.strictObject({
  source: absolutePath,
  target: absolutePath.optional(),
  /** Any of `r` (read), `w` (write) and `m` (mknod). */
  access: z
    .string()
    .regex(/^r?w?m?$/)
    .min(1)
    .default('rwm'),
})
export type Device = z.infer<typeof deviceSchema>

/** A limit of setrlimit(2), such as `nofile`; -1 is unlimited. */
export const ulimitSchema = z.strictObject({
  name: z.enum(ulimitNames),
  soft: z.int().min(-1),
  hard: z.int().min(-1),
})
export type Ulimit = z.infer<typeof ulimitSchema>

/** A running container in the same namespace. */
const containerChoice = z.string().regex(new RegExp(`^container:${idPattern.source.slice(1)}`), {
  error: (issue) => `expected container:ID, got ${JSON.stringify(issue.input)}`,
})
/** The container's own namespace, the host's, or that of another container. */
const namespaceChoice = z.union([z.enum(['private', 'host']), containerChoice])

/** `CAP_NET_ADMIN`, `net_admin`, or `ALL`. */
const capability = z
  .string()
  .regex(/^[A-Za-z_]+$/, {error: (issue) => `expected a capability such as NET_ADMIN, or ALL, got ${JSON.stringify(issue.input)}`})

/** A mount that becomes a part of the root file system, as in containerd's create request. */
export const rootfsMountSchema = z.strictObject({
  /** A file system type of the kernel, such as `overlay`, `bind`, `tmpfs` or `ext4`. */
  type: argument.min(1),
  source: argument.min(1),
  /** A path below the root file system; by default the root itself. */
  target: absolutePath.optional(),
  /** Mount options as in fstab(5). */
  options: z.array(argument).optional(),
})
export type RootfsMount = z.infer<typeof rootfsMountSchema>

/** Run a command in a root file system; Tallyman generates the OCI spec. */
const rootfsFieldsSchema = z.strictObject({
  ...common,
  /** A directory on the node. */
  rootfs: absolutePath.optional(),
  /** Instead of `rootfs`: mounted in this order and unmounted in reverse order. */
  rootfsMounts: z.array(rootfsMountSchema).min(1).optional(),
  /** Changes are written to an overlay that is deleted with the container; by default they are written to `rootfs` itself. */
  overlay: z.boolean().optional(),
  args: z.array(argument).min(1),
  env: z.array(environmentVariable).default([]),
  cwd: absolutePath.default('/'),
  /** `name`, `uid`, `name:group` or `uid:gid`; names are looked up in the container's /etc/passwd and /etc/group. */
  user: argument.min(1).default('0'),
  /** File descriptors 0, 1 and 2 are a pseudo-terminal: all output is `stdout`. A bundle specifies this in its own config.json. */
  terminal: z.boolean().optional(),
  /** At most 64 bytes (sethostname(2)); by default the container's id. */
  hostname: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/)
    .optional(),
  /** `none`: a network namespace with loopback alone. `host`: the host's. `container:ID`: that of another container. */
  network: z.union([z.enum(['none', 'host']), containerChoice]).default('none'),
  /** The pid, ipc and uts namespaces; by default the container has its own. */
  pid: namespaceChoice.optional(),
  ipc: namespaceChoice.optional(),
  uts: z.enum(['private', 'host']).optional(),
  mounts: z.array(mountSchema).optional(),
  /** The root file system is read-only; mounts are not affected. */
  readOnly: z.boolean().optional(),
  /** Added to docker's default set; the host must have them. */
  capAdd: z.array(capability).optional(),
  /** Removed from the default set before others are added. */
  capDrop: z.array(capability).optional(),
  /** No isolation: all capabilities and devices, no seccomp, nothing in /proc or /sys masked. */
  privileged: z.boolean().optional(),
  /**
   * `default`: the profile in this package. `unconfined`: none. Otherwise the path of a profile in docker's format. When absent: the
   * profile that the node's administrator chose, else `default`; privileged containers then have none.
   */
  seccomp: z.union([z.enum(['unconfined', 'default']), absolutePath]).optional(),
  /** Setuid programs and file capabilities give no privileges. True by default. */
  noNewPrivileges: z.boolean().optional(),
  /** The name of a profile that is loaded on the node, or `unconfined`. */
  apparmor: argument.min(1).optional(),
  devices: z.array(deviceSchema).optional(),
  ulimits: z.array(ulimitSchema).optional(),
  /** Copied into the OCI spec, for the runtime and its hooks. */
  annotations: z.record(z.string().min(1), z.string()).optional(),
  memoryBytes: memoryBytesSchema.optional(),
  /** When absent, a memory limit allows no swap. */
  memorySwapBytes: memorySwapBytesSchema.optional(),
  cpus: cpusSchema.optional(),
  cpuShares: cpuSharesSchema.optional(),
  cpusetCpus: cpusetCpusSchema.optional(),
  pidsLimit: pidsLimitSchema.optional(),
})
export const rootfsRequestSchema = rootfsFieldsSchema
  .refine(({rootfs, rootfsMounts}) => (rootfs === undefined) !== (rootfsMounts === undefined), {
    error: 'expected either rootfs or rootfsMounts',
    path: ['rootfs'],
  })
  .refine(hasOneEnding, oneEnding)
export type RootfsRequest = z.infer<typeof rootfsRequestSchema>

/** Run an OCI bundle as it is. */
export const bundleRequestSchema = z.strictObject({...common, bundle: absolutePath}).refine(hasOneEnding, oneEnding)
export type BundleRequest = z.infer<typeof bundleRequestSchema>

export const createRequestSchema = z.union([rootfsRequestSchema, bundleRequestSchema])
/** The request as a client sends it: fields with a default may be absent. */
export type CreateRequestInput = z.input<typeof createRequestSchema>
export type CreateRequest = z.infer<typeof createRequestSchema>

export function isBundleRequest(request: CreateRequest): request is BundleRequest {
  return 'bundle' in request
}
