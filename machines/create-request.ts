/**
 * What a user may ask of `create`, as it crosses the wire. Unknown fields are refused, so that a misspelt
 * limit is an error and not a container without one.
 */
import * as z from 'zod'
import {idSchema} from './ids.ts'
import {cpuSharesSchema, cpusetCpusSchema, memorySwapBytesSchema} from './limits.ts'

export const absolutePath = z
  .string()
  .regex(/^\/[^\0]*$/, {error: (issue) => `expected an absolute path, got ${JSON.stringify(issue.input)}`})
export const environmentVariable = z
  .string()
  .regex(/^[^=\0]+=[^\0]*$/, {error: (issue) => `expected KEY=VALUE, got ${JSON.stringify(issue.input)}`})
export const argument = z.string().regex(/^[^\0]*$/, 'expected no NUL character')

/** Of a terminal, in characters: a 16-bit number each (ioctl_tty(2), struct winsize). */
export const consoleSizeSchema = z.strictObject({columns: z.int().min(1).max(65_535), rows: z.int().min(1).max(65_535)})
export type ConsoleSize = z.infer<typeof consoleSizeSchema>

const common = {
  /** Made by the coordinator when absent. */
  id: idSchema.optional(),
  namespace: idSchema.default('default'),
  /** Delete the container, by itself, once it has stopped. */
  autoRemove: z.boolean().default(false),
  /** Yours; nothing here looks at them. */
  labels: z.record(z.string().min(1), z.string()).optional(),
  /** A log that would grow beyond `maxBytes` goes on in another file; the last `maxFiles` are kept. All of it when absent. */
  log: z.strictObject({maxBytes: z.int().min(1), maxFiles: z.int().min(1).max(1_000)}).optional(),
  /** Somebody will send it input (`input`, `close-stdin`); without, it reads an end of file. */
  stdin: z.boolean().optional(),
  /** How large its terminal is at first; 80 by 24 when absent. */
  consoleSize: consoleSizeSchema.optional(),
}

/** Mounted into the container after what every container has, in their order. */
export const mountSchema = z.discriminatedUnion('type', [
  /** A file or directory of the node. */
  z.strictObject({type: z.literal('bind'), source: absolutePath, target: absolutePath, readOnly: z.boolean().optional()}),
  /** In memory, gone with the container. */
  z.strictObject({type: z.literal('tmpfs'), target: absolutePath}),
])
export type Mount = z.infer<typeof mountSchema>

/** `CAP_NET_ADMIN`, `net_admin`, or `ALL`. */
const capability = z
  .string()
  .regex(/^[A-Za-z_]+$/, {error: (issue) => `expected a capability such as NET_ADMIN, or ALL, got ${JSON.stringify(issue.input)}`})

/** Run a command in a root file system; the OCI spec is generated. */
export const rootfsRequestSchema = z.strictObject({
  ...common,
  rootfs: absolutePath,
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
  /** `none`: a network namespace with only loopback. `host`: the host's. */
  network: z.enum(['none', 'host']).default('none'),
  mounts: z.array(mountSchema).optional(),
  /** The root file system cannot be written; mounts can. */
  readOnly: z.boolean().optional(),
  /** Beyond docker's default set; the host must have them. */
  capAdd: z.array(capability).optional(),
  /** Taken away from the default set, before any are added. */
  capDrop: z.array(capability).optional(),
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
export type RootfsRequest = z.infer<typeof rootfsRequestSchema>

/** Run an OCI bundle untouched. */
export const bundleRequestSchema = z.strictObject({...common, bundle: absolutePath})
export type BundleRequest = z.infer<typeof bundleRequestSchema>

export const createRequestSchema = z.union([rootfsRequestSchema, bundleRequestSchema])
/** As sent: defaults may be absent. */
export type CreateRequestInput = z.input<typeof createRequestSchema>
export type CreateRequest = z.infer<typeof createRequestSchema>

export function isBundleRequest(request: CreateRequest): request is BundleRequest {
  return 'bundle' in request
}
