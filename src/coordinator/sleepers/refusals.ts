/** Error replies to requests that the coordinator cannot bring to a supervisor. */
import type {NatsConnection} from 'nats'
import {TallyError, toErrorBody} from '../../kernel/errors.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import {toErrorReply} from '../../messaging/codec.ts'
import type {KeptRequest} from '../../messaging/kept-request.ts'

/** @param connection undefined when there is none: the clients wait in vain, and send their requests again */
export function refuse(
  connection: Pick<NatsConnection, 'publish'> | undefined,
  requests: readonly Pick<KeptRequest, 'reply'>[],
  error: unknown,
): void {
  const {payload, headers} = toErrorReply(toErrorBody(error))
  for (const {reply} of requests) if (reply !== undefined) connection?.publish(reply, payload, {headers})
}

/** What the port that wakes threw. */
export function toWakeError({namespace, id}: ContainerName, cause: unknown): TallyError {
  if (cause instanceof TallyError) return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  return new TallyError('SUPERVISOR_FAILED', `cannot wake the supervisor of ${namespace}/${id}: ${why}`, {cause})
}

export function notWoken({namespace, id}: ContainerName, timeoutMs: number): TallyError {
  const why = `its supervisor has not woken within ${timeoutMs} ms; it was not carried out`
  return new TallyError('SUPERVISOR_FAILED', `nobody answers for container ${namespace}/${id}: ${why}`, {
    details: {namespace, id, timeoutMs},
  })
}

export function notFound({node, namespace, id}: ContainerName & {readonly node: string}): TallyError {
  return new TallyError('CONTAINER_NOT_FOUND', `no container ${id} in namespace ${namespace} on node ${node}`, {
    details: {node, namespace, id},
  })
}
