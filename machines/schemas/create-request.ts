/**
 * What a user may ask of `create`, as it crosses the wire. Unknown fields are refused, so that a misspelt
 * limit is an error and not a container without one.
 */
import {environmentVariable, argument, consoleSizeSchema} from './fields.ts'
import * as z from 'zod'
import {restoreSpecSchema} from './checkpoint.ts'
import {idSchema} from '../ledger/ids.ts'
import {healthCheckSchema} from './health.ts'
import {mountSchema} from './mounts.ts'
import {absolutePath} from './paths.ts'
import {type RestartPolicy, restartPolicySchema} from './restart-policy.ts'
import {ulimitNames} from './ulimits.ts'
import {cpuSharesSchema, cpusetCpusSchema, memorySwapBytesSchema} from './limits.ts'

export {type Mount, mountSchema} from './mounts.ts'

/** How the OCI runtime is called for this container, as containerd's options of runc. */
export const runtimeOptionsSchema = z.strictObject({
  /** Name or path, such as `crun`; that of the node when absent. */
  binary: argument.min(1).optional(),
  /** Where it keeps its state; a directory of the node's own when absent. */
  root: absolutePath.optional(),
  /** The root file system is changed into, not pivoted: for root file systems in memory, as of an initrd. */
  noPivot: z.boolean().optional(),
  /** It shares the session keyring of the node. */
  noNewKeyring: z.boolean().optional(),
  /** systemd makes its cgroup. */
  systemdCgroup: z.boolean().optional(),
})
export type RuntimeOptions = z.infer<typeof runtimeOptionsSchema>

const common = {
  /** Made by the coordinator when absent. */
  id: idSchema.optional(),
  namespace: idSchema.default('default'),
  /** Delete the container, by itself, once it has stopped. */
  autoRemove: z.boolean().default(false),
  /** Yours; nothing here looks at them. */
  labels: z.record(z.string().min(1), z.string()).optional(),
  runtime: runtimeOptionsSchema.optional(),
  /** A line that would make the log larger than `maxBytes` begins another file; the last `maxFiles` are kept. All of it when absent. */
  log: z.strictObject({maxBytes: z.int().min(1), maxFiles: z.int().min(1).max(1_000)}).optional(),
  /** Somebody will send it input (`input`, `close-stdin`); without, it reads an end of file. */
  stdin: z.boolean().optional(),
  /** How large its terminal is at first; 80 by 24 when absent. */
  consoleSize: consoleSizeSchema.optional(),
  /** Its start brings back the processes of a checkpoint, instead of executing a program. */
  checkpoint: restoreSpecSchema.optional(),
  /** What follows when it ends by itself; nothing when absent. */
  restart: restartPolicySchema.optional(),
  /** How to find out whether it is well; nobody asks when absent. */
  healthCheck: healthCheckSchema.optional(),
}

/** Both at once contradict each other. */
const isKept = ({autoRemove, restart}: {readonly autoRemove: boolean; readonly restart?: RestartPolicy | undefined}) =>
  !autoRemove || restart === undefined || restart.policy === 'no'
const kept = {error: 'expected no restart policy with autoRemove: what is removed cannot be started again', path: ['restart']}

/** A device of the node, in the container under the same path or another. */
export const deviceSchema = z.strictObject({
  source: absolutePath,
  target: absolutePath.optional(),
  /** Of read, write, mknod. */
  access: z
    .string()
    .regex(/^r?w?m?$/)
    .min(1)
    .default('rwm'),
})
export type Device = z.infer<typeof deviceSchema>

/** A limit of setrlimit(2), such as `nofile`; -1 is none. */
export const ulimitSchema = z.strictObject({
  name: z.enum(ulimitNames),
  soft: z.int().min(-1),
  hard: z.int().min(-1),
})
export type Ulimit = z.infer<typeof ulimitSchema>

/** Another container of this namespace, which runs. */
const containerChoice = z.string().regex(/^container:[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, {
  error: (issue) => `expected container:ID, got ${JSON.stringify(issue.input)}`,
})
/** One of its own, that of the host, or that of another container. */
const namespaceChoice = z.union([z.enum(['private', 'host']), containerChoice])

/** `CAP_NET_ADMIN`, `net_admin`, or `ALL`. */
const capability = z
  .string()
  .regex(/^[A-Za-z_]+$/, {error: (issue) => `expected a capability such as NET_ADMIN, or ALL, got ${JSON.stringify(issue.input)}`})

/** Mounted on the node, to be a part of the root file system; as in containerd's create request. */
export const rootfsMountSchema = z.strictObject({
  /** `overlay`, `bind`, `tmpfs`, `ext4`, …, or whatever the kernel knows. */
  type: argument.min(1),
  source: argument.min(1),
  /** Below the root file system, which it is itself when absent. */
  target: absolutePath.optional(),
  /** As fstab(5) has them. */
  options: z.array(argument).optional(),
})
export type RootfsMount = z.infer<typeof rootfsMountSchema>

/** Run a command in a root file system; the OCI spec is generated. */
const rootfsFieldsSchema = z.strictObject({
  ...common,
  /** A directory of the node. */
  rootfs: absolutePath.optional(),
  /** Instead of it: mounted in this order, and unmounted in reverse. */
  rootfsMounts: z.array(rootfsMountSchema).min(1).optional(),
  /** The container's changes go into an overlay over `rootfs`, and away with the container; without, they are made in place. */
  overlay: z.boolean().optional(),
  args: z.array(argument).min(1),
  env: z.array(environmentVariable).default([]),
  cwd: absolutePath.default('/'),
  /** `name`, `uid`, `name:group` or `uid:gid`; names are looked up in the container's /etc/passwd and /etc/group. */
  user: argument.min(1).default('0'),
  /** A pseudo-terminal as 0, 1 and 2: its output is one stream, `stdout`. A bundle says so itself. */
  terminal: z.boolean().optional(),
  /** At most 64 bytes (sethostname(2)); the container's id when absent. */
  hostname: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/)
    .optional(),
  /** `none`: a network namespace with only loopback. `host`: the host's. `container:ID`: that of another container. */
  network: z.union([z.enum(['none', 'host']), containerChoice]).default('none'),
  /** Whose processes it sees; its own when absent, as of the others. */
  pid: namespaceChoice.optional(),
  ipc: namespaceChoice.optional(),
  uts: z.enum(['private', 'host']).optional(),
  mounts: z.array(mountSchema).optional(),
  /** The root file system cannot be written; mounts can. */
  readOnly: z.boolean().optional(),
  /** Beyond docker's default set; the host must have them. */
  capAdd: z.array(capability).optional(),
  /** Taken away from the default set, before any are added. */
  capDrop: z.array(capability).optional(),
  /** All that the host may give: capabilities, devices, no seccomp, nothing masked. */
  privileged: z.boolean().optional(),
  /**
   * `default`: the profile of this package. `unconfined`: none. Or a profile as docker has them, a file of the node. When absent: that of
   * the administrator of the node, or else the default, and none for what is privileged.
   */
  seccomp: z.union([z.enum(['unconfined', 'default']), absolutePath]).optional(),
  /** Setuid programs and file capabilities give nothing; so it is when absent. */
  noNewPrivileges: z.boolean().optional(),
  /** A profile that is loaded on the node, or `unconfined`. */
  apparmor: argument.min(1).optional(),
  devices: z.array(deviceSchema).optional(),
  ulimits: z.array(ulimitSchema).optional(),
  /** For the runtime and its hooks: in the OCI spec as they are. */
  annotations: z.record(z.string().min(1), z.string()).optional(),
  memoryBytes: z.int().positive().optional(),
  /** Memory and swap together; `null` is no limit. Without it a limit of memory allows no swap. */
  memorySwapBytes: memorySwapBytesSchema.optional(),
  /** How many CPUs' worth of time, such as 0.5. */
  cpus: z.number().positive().max(10_000).optional(),
  cpuShares: cpuSharesSchema.optional(),
  cpusetCpus: cpusetCpusSchema.optional(),
  /** How many processes and threads at once. */
  pidsLimit: z.int().positive().optional(),
})
export const rootfsRequestSchema = rootfsFieldsSchema
  .refine(({rootfs, rootfsMounts}) => (rootfs === undefined) !== (rootfsMounts === undefined), {
    error: 'expected either rootfs or rootfsMounts',
    path: ['rootfs'],
  })
  .refine(isKept, kept)
export type RootfsRequest = z.infer<typeof rootfsRequestSchema>

/** Run an OCI bundle untouched. */
export const bundleRequestSchema = z.strictObject({...common, bundle: absolutePath}).refine(isKept, kept)
export type BundleRequest = z.infer<typeof bundleRequestSchema>

export const createRequestSchema = z.union([rootfsRequestSchema, bundleRequestSchema])
/** As sent: defaults may be absent. */
export type CreateRequestInput = z.input<typeof createRequestSchema>
export type CreateRequest = z.infer<typeof createRequestSchema>

export function isBundleRequest(request: CreateRequest): request is BundleRequest {
  return 'bundle' in request
}
