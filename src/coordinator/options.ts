import * as z from 'zod'
import {idSchema} from '../../machines/ledger/ids.ts'
import {toRealPath} from '../kernel/real-path.ts'
import {natsAccessSchema} from '../messaging/servers.ts'
import {streamLimitsSchema} from '../messaging/stream-limits.ts'
import {defaultPrefix} from '../messaging/subjects.ts'

/** An absolute path, without symbolic links: it is compared with paths that the kernel lists. */
const directory = (usual: string) => z.string().regex(/^\//, 'expected an absolute path').default(usual).transform(toRealPath)

export const defaultSleepAfterMs = 5_000

/** What a coordinator is started with: one JSON object in the environment, since it may contain a password. */
export const coordinatorOptionsSchema = z.strictObject({
  stateDir: directory('/var/lib/tally'),
  runDir: directory('/run/tally'),
  /** When absent, the name in the state directory, or that of the host. */
  node: idSchema.optional(),
  prefix: z.string().default(defaultPrefix),
  /** Servers that the user runs; when absent, the coordinator starts one. */
  nats: natsAccessSchema.optional(),
  /** Limits of the stream; when absent, they stay as they are. */
  stream: streamLimitsSchema.optional(),
  natsServer: z.string().default('nats-server'),
  runtime: z.string().default('runc'),
  /** How long nothing has to happen before a supervisor falls asleep, in milliseconds. */
  sleepAfterMs: z.union([z.literal('never'), z.int().positive()]).default(defaultSleepAfterMs),
  /** Where the page is served. When absent, on loopback, on the usual port, or on any other if that is taken. */
  http: z.union([z.literal('off'), z.strictObject({host: z.string().min(1), port: z.int().min(0).max(65_535)})]).optional(),
})
export type CoordinatorOptions = z.infer<typeof coordinatorOptionsSchema>
export const coordinatorOptionsVariable = 'TALLY_COORDINATOR_OPTIONS'
