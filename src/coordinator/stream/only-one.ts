/** One coordinator for each name of a node: two would both answer its commands, and publish events of other containers as the same. */
import {type NatsConnection, NatsError} from 'nats'
import * as z from 'zod'
import {TallyError} from '../../kernel/errors.ts'
import {encodeJson} from '../../messaging/codec.ts'
import type {Subjects} from '../../messaging/subjects.ts'

/** Who answers takes some milliseconds; who has died a moment ago may be missed by nobody yet, and does not answer. */
const answerMs = 2_000
const otherSchema = z.object({coordinatorPid: z.int(), stateDir: z.string()})

/** Before this one listens. @throws TallyError NODE_RUNNING when another answers for the node */
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
    `another coordinator answers for node ${node} on this NATS${which}: expected --node with a name that nobody has, or \`tally down\` there`,
    {details: {node, ...(other.success && other.data)}},
  )
}

const pingSchema = z.object({id: z.string(), metadata: z.object({node: z.string().optional(), startedAt: z.string().optional()})})
type Pinged = z.infer<typeof pingSchema>

/**
 * Once this one listens: of two that began at the same moment, and did not hear of each other, one finds that it has to give way.
 * @param id that of our service
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
