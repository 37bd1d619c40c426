/** Whether a server has a working JetStream. The only file that knows the error texts of JetStream. */
import {ErrorCode, type NatsConnection, NatsError} from 'nats'
import {TallyError} from '../kernel/errors.ts'

/** `silent`: no response. Once, that may be load; twice, the server hangs. */
export type JetStreamHealth = 'well' | 'off' | 'silent'

export async function askJetStream(connection: NatsConnection, timeoutMs: number): Promise<JetStreamHealth> {
  try {
    const reply = await connection.request('$JS.API.INFO', undefined, {timeout: timeoutMs})
    return reply.string().includes('"error"') ? 'off' : 'well'
  } catch (error) {
    return error instanceof NatsError && error.code === ErrorCode.NoResponders ? 'off' : 'silent'
  }
}

/** JetStream's own numbers (server/errors.json) for: not enabled, not for this account, no resources, no storage left, unavailable. */
const awayCodes: ReadonlySet<number | undefined> = new Set([10_039, 10_076, 10_023, 10_047, 10_008])

/** The error of a request to JetStream as one of the table; other errors are returned unchanged. */
export function fromJetStream(error: unknown): unknown {
  if (!(error instanceof NatsError)) return error
  const isAway = error.code === ErrorCode.NoResponders || awayCodes.has(error.api_error?.err_code)
  const why = isAway ? 'it is switched off, as a full disk does' : error.code === ErrorCode.Timeout ? 'it does not answer' : undefined
  if (why) return new TallyError('JETSTREAM_UNAVAILABLE', `JetStream cannot be used: ${why} (${error.message})`, {cause: error})
  const isLost = lostCodes.has(error.code)
  return isLost ? new TallyError('NATS_UNREACHABLE', 'the connection to NATS was lost', {cause: error}) : error
}

const lostCodes: ReadonlySet<string> = new Set([ErrorCode.ConnectionClosed, ErrorCode.ConnectionDraining, ErrorCode.Disconnect])
