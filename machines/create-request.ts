/**
 * What a user may ask of `create`, as it crosses the wire. Unknown fields are refused, so that a misspelt
 * limit is an error and not a container without one.
 */
import * as z from 'zod'
import {idSchema} from './ids.ts'

const absolutePath = z.string().regex(/^\/[^\0]*$/, {error: (issue) => `expected an absolute path, got ${JSON.stringify(issue.input)}`})
const environmentVariable = z
  .string()
  .regex(/^[^=\0]+=[^\0]*$/, {error: (issue) => `expected KEY=VALUE, got ${JSON.stringify(issue.input)}`})
const argument = z.string().regex(/^[^\0]*$/, 'expected no NUL character')

const common = {
  /** Made by the coordinator when absent. */
  id: idSchema.optional(),
  namespace: idSchema.default('default'),
  /** Delete the container, by itself, once it has stopped. */
  autoRemove: z.boolean().default(false),
}

/** Run a command in a root file system; the OCI spec is generated. */
export const rootfsRequestSchema = z.strictObject({
  ...common,
  rootfs: absolutePath,
  args: z.array(argument).min(1),
  env: z.array(environmentVariable).default([]),
  cwd: absolutePath.default('/'),
  /** `name`, `uid`, `name:group` or `uid:gid`; names are looked up in the container's /etc/passwd and /etc/group. */
  user: argument.min(1).default('0'),
  /** At most 64 bytes (sethostname(2)); the container's id when absent. */
  hostname: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/)
    .optional(),
  /** `none`: a network namespace with only loopback. `host`: the host's. */
  network: z.enum(['none', 'host']).default('none'),
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
