/** Sends the commands of a client, and waits for their replies: of a node to its coordinator, of a container to its supervisor. */
import type * as z from 'zod'
import type {ContainerVerb, NodeVerb} from '../../machines/commands/commands.ts'
import type {ContainerAddress} from '../../machines/ledger/ids.ts'
import {type ContainerView, listReplySchema} from '../../machines/views/view.ts'
import {TallyError} from '../kernel/errors.ts'
import {requestJson} from '../messaging/codec.ts'
import {readEvents} from '../messaging/read-events.ts'
import {lastEventOf} from '../messaging/stream.ts'
import type {Subjects} from '../messaging/subjects.ts'
import {adoptionPatienceMs, type Finding} from './absence.ts'
import {ask, type AskDependencies, type Attempt} from './ask.ts'
import type {Patience} from './asking.ts'
import type {Outlook} from './outlook.ts'
import {type ListPage, listAll} from './pages.ts'
import type {ReturningConnection} from './returning-connection.ts'

export const requestTimeoutMs = 60_000
const usualPatience: Patience = {patienceMs: requestTimeoutMs}
/** A thousand containers take minutes to be deleted. */
const deletionTimeoutMs = 600_000

export interface Requester {
  /** @throws TallyError that of the reply; NODE_NOT_RUNNING, TIMED_OUT, NATS_UNREACHABLE */
  toNode<S extends z.ZodType>(verb: NodeVerb, request: unknown, schema: S): Promise<z.output<S>>
  /** @throws TallyError that of the reply; CONTAINER_NOT_FOUND, SUPERVISOR_FAILED, NODE_NOT_RUNNING, TIMED_OUT, NATS_UNREACHABLE */
  toContainer<S extends z.ZodType>(
    address: ContainerAddress,
    verb: ContainerVerb,
    request: unknown,
    schema: S,
    patience?: Patience,
  ): Promise<z.output<S>>
}

export interface RequesterDependencies extends AskDependencies {
  readonly connection: ReturningConnection
  /** Of a coordinator that does not answer. */
  readonly readOutlook: () => Promise<Outlook>
}

export interface RequesterOptions {
  readonly node: string
  readonly subjects: Subjects
  readonly actor: string
}

export function createRequester(dependencies: RequesterDependencies, {node, subjects, actor}: RequesterOptions): Requester {
  const {connection} = dependencies
  /** Containers that have answered. */
  const known = new Set<string>()
  return {
    toNode: (verb, request, schema) =>
      ask(dependencies, {
        send: sender(subjects.nodeCommand(node, verb), request, schema),
        search: async () => {
          const outlook = await dependencies.readOutlook()
          return {type: 'no coordinator', outlook: outlook.type, error: notRunning(node, outlook)}
        },
        // A node that shuts down answers, and is gone: there is nobody to send a retry to. One that is to restart would do it again.
        patience: verb === 'shutdown' || verb === 'restart' ? toShutdownPatience(request) : usualPatience,
      }),
    toContainer: async (address, verb, request, schema, patience = usualPatience) => {
      const key = subjects.events(address)
      const reply = await ask(dependencies, {
        send: sender(subjects.containerCommand(address, verb), request, schema),
        search: async (asked) => {
          const finding = await findSupervisor(address, patience)
          if (finding.type === 'no supervisor' || (finding.type !== 'no container' && verb === 'wait')) return finding
          const ended = await findEnded(address, verb, asked)
          return ended ? {type: 'answered', reply: schema.parse(ended)} : finding
        },
        patience,
        isKnown: () => known.has(key),
      })
      known.add(key)
      return reply
    },
  }

  function sender<S extends z.ZodType>(subject: string, request: unknown, schema: S) {
    return ({correlationId, isRetry, timeoutMs}: Attempt): Promise<z.output<S> | undefined> =>
      requestJson(connection.present, subject, request, {schema, timeoutMs, origin: {actor, correlationId, isRetry}})
  }

  /** Why nobody listens for a container, as far as the coordinator knows. */
  async function findSupervisor(address: ContainerAddress, {patienceMs}: Patience): Promise<Exclude<Finding<never>, {type: 'answered'}>> {
    const {namespace, id} = address
    const list = async (page: ListPage) => {
      const reply = await ask(dependencies, {
        send: sender(subjects.nodeCommand(node, 'list'), {all: true, namespace, ...page}, listReplySchema),
        search: async () => ({type: 'answered', reply: undefined}) as const,
        patience: {patienceMs},
      })
      if (!reply) throw notRunning(node, {type: 'unknown'})
      return reply
    }
    try {
      const view = (await listAll(list)).find((one) => one.id === id)
      if (!view) return {type: 'no container', error: notFound(address)}
      return {type: 'no supervisor', isForGood: view.unsupervised === true, error: unsupervised(view)}
    } catch (error) {
      if (error instanceof TallyError && error.code === 'NODE_NOT_RUNNING') return await findInStream(address)
      throw error
    }
  }

  /** Without a coordinator the stream is left to say whether there is such a container. */
  async function findInStream(address: ContainerAddress): Promise<Exclude<Finding<never>, {type: 'answered'}>> {
    try {
      const last = await lastEventOf(connection.present, subjects, address)
      if (!last || last.event.type === 'container.deleted') return {type: 'no container', error: notFound(address)}
    } catch {
      // It cannot be read now, which is no reason to say that there is none.
    }
    const outlook = await dependencies.readOutlook()
    return {type: 'nobody', outlook: outlook.type, error: unattended(address, outlook)}
  }

  /** The command may have been carried out, and the container be gone, before its answer came. */
  async function findEnded(
    address: ContainerAddress,
    verb: ContainerVerb,
    {correlationId, attempts}: {readonly correlationId: string; readonly attempts: number},
  ): Promise<ContainerView | undefined> {
    if (verb !== 'delete' && attempts === 1) return undefined
    const {findDeleted} = await import('./find-deleted.ts')
    for (;;) {
      const {present} = connection
      try {
        return await findDeleted(readEvents(present, subjects, {filter: address, follow: false}), verb, correlationId)
      } catch {
        // A stream that cannot be read has nothing to say; in a cluster it may be about to have another leader.
        if (!present.isClosed()) return undefined
        await connection.back()
      }
    }
  }
}

function notRunning(node: string, outlook: Outlook): TallyError {
  return new TallyError('NODE_NOT_RUNNING', `no coordinator answers for node ${node}; ${toAdvice(outlook)}`, {details: {node}})
}

function toAdvice(outlook: Outlook): string {
  if (outlook.type !== 'given up') return '`tally up` starts one'
  return `it has died ${outlook.deaths} times and was given up: \`tally up -d\` says why, and starts it again`
}

function notFound({node, namespace, id}: ContainerAddress): TallyError {
  return new TallyError('CONTAINER_NOT_FOUND', `no container ${id} in namespace ${namespace} on node ${node}`, {
    details: {node, namespace, id},
  })
}

function unattended({node, namespace, id}: ContainerAddress, outlook: Outlook): TallyError {
  const why = `neither its supervisor nor a coordinator of node ${node} listens; ${toAdvice(outlook)}`
  return new TallyError('NODE_NOT_RUNNING', `nobody answers for container ${id}: ${why}`, {details: {node, namespace, id}})
}

function unsupervised({node, namespace, id, unsupervised}: ContainerView): TallyError {
  const why = unsupervised
    ? 'its supervisors have died again and again, and it gets no other before the node is started again: `tally down`, `tally up -d`'
    : `its supervisor has died, and no other took over within ${adoptionPatienceMs / 1_000} s`
  return new TallyError('SUPERVISOR_FAILED', `nobody answers for container ${id}: ${why}`, {details: {node, namespace, id}})
}

function toShutdownPatience(request: unknown): Patience {
  const isLong = typeof request === 'object' && request !== null && 'containers' in request && request.containers === true
  const ms = isLong ? deletionTimeoutMs : requestTimeoutMs
  return {patienceMs: ms, attemptMs: [ms], once: true}
}
