import * as z from 'zod'
import {idSchema} from '../../machines/ledger/ids.ts'
import {toRealPath} from '../kernel/real-path.ts'
import {natsAccessSchema} from '../messaging/servers.ts'
import {streamLimitsSchema} from '../messaging/stream-limits.ts'
import {defaultPrefix} from '../messaging/subjects.ts'

/** What a coordinator is started with: one JSON object in the environment, since it may hold a password. */
/** Whatever the caller calls it: what the kernel lists is compared with it. */
const directory = (usual: string) => z.string().regex(/^\//, 'expected an absolute path').default(usual).transform(toRealPath)

export const coordinatorOptionsSchema = z.strictObject({
  stateDir: directory('/var/lib/tally'),
  runDir: directory('/run/tally'),
  /** That of the state directory, or of the host, when absent. */
  node: idSchema.optional(),
  prefix: z.string().default(defaultPrefix),
  /** Yours; a server of our own is started when absent. */
  nats: natsAccessSchema.optional(),
  /** What the stream is to keep; as it is when absent. */
  stream: streamLimitsSchema.optional(),
  natsServer: z.string().default('nats-server'),
  runtime: z.string().default('runc'),
  /** Where the page is served. When absent: on loopback, and on any port if the usual one is taken. */
  http: z.union([z.literal('off'), z.strictObject({host: z.string().min(1), port: z.int().min(0).max(65_535)})]).optional(),
})
export type CoordinatorOptions = z.infer<typeof coordinatorOptionsSchema>
export const coordinatorOptionsVariable = 'TALLY_COORDINATOR_OPTIONS'
