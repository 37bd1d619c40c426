/** Only one coordinator for each name of a node: two would both answer its commands, and publish events of different containers as the same. */
import {type NatsConnection, NatsError} from 'nats'
import * as z from 'zod'
import {TallyError} from '../../kernel/errors.ts'
import {encodeJson} from '../../messaging/codec.ts'
import type {Subjects} from '../../messaging/subjects.ts'

/** An answer takes some milliseconds. One that has just died may still be subscribed, and does not answer. */
const answerMs = 2_000
const otherSchema = z.object({coordinatorPid: z.int(), stateDir: z.string()})

/** To be called before this coordinator listens. @throws TallyError NODE_RUNNING when another one answers for the node */
export async function assertAlone(
  connection: NatsConnection,
  {subjects, node}: {readonly subjects: Subjects; readonly node: string},
): Promise<void> {
  const reply = await connection
    .request(subjects.nodeCommand(node, 'info'), encodeJson({}), {timeout: answerMs})
    .catch((error: unknown) => {
      if (error instanceof NatsError) return undefined
      throw error
    })
  if (!reply) return
  const other = otherSchema.safeParse(toJson(reply.string()))
  const which = other.success ? ` (pid ${other.data.coordinatorPid} on its host, state directory ${other.data.stateDir})` : ''
  throw new TallyError(
    'NODE_RUNNING',
    `another coordinator answers for node ${node} on this NATS${which}: expected --node with a name that no other node has, or \`tally down\` there`,
    {details: {node, ...(other.success && other.data)}},
  )
}

const pingSchema = z.object({id: z.string(), metadata: z.object({node: z.string().optional(), startedAt: z.string().optional()})})
type Pinged = z.infer<typeof pingSchema>

/**
 * To be called once this coordinator listens: of two that began at the same moment, and did not see each other, one finds that it has to end.
 * @param id of this coordinator's service
 */
export async function mustGiveWay(connection: NatsConnection, {id, node}: {readonly id: string; readonly node: string}): Promise<boolean> {
  const found: Pinged[] = []
  for await (const reply of await connection.requestMany('$SRV.PING.tally-coordinator', '', {maxWait: answerMs})) {
    const pinged = pingSchema.safeParse(toJson(reply.string()))
    if (pinged.success && pinged.data.metadata.node === node) found.push(pinged.data)
  }
  const own = found.find((one) => one.id === id)
  return own !== undefined && found.some((one) => toRank(one) < toRank(own))
}

function toRank({id, metadata: {startedAt = ''}}: Pinged): string {
  return `${startedAt} ${id}`
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
