/** The node's address on NATS: create, list, info, upgrade, shutdown. */
import {randomBytes, randomUUID} from 'node:crypto'
import type {NatsConnection} from 'nats'
import {nodeCommandSchemas} from '../../../machines/commands/commands.ts'
import type {CreateRequest} from '../../../machines/schemas/create-request.ts'
import {toContainerView} from '../../../machines/views/container-view.ts'
import type {ContainerView, NodeInfo, UiReply} from '../../../machines/views/view.ts'
import type {UpgradeReply} from '../../../machines/views/upgrade.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import {type Asked, type Endpoint, endpoint} from '../../messaging/services.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import {checkRequest} from '../../runtime/bundle.ts'
import {readManifest} from '../../runtime/checkpoint-image.ts'
import type {Directories} from '../../layout/container-layout.ts'
import {releaseContainer, reserveContainer} from '../directories/containers.ts'
import {createCreateRequests} from './create-requests.ts'
import {findFormerCreate} from './former-create.ts'
import {toListReply} from './list-reply.ts'
import type {NodeLedgers} from '../ledgers/node-ledgers.ts'
import type {Projection} from '../ledgers/projection.ts'
import {countSupervisors, type SupervisorState} from '../supervision/supervisor-states.ts'
import type {Supervisors} from '../supervision/supervisors.ts'
import type {JetStreamWatch} from '../stream/jetstream-watch.ts'

export interface NodeServiceDependencies {
  readonly node: string
  readonly directories: Directories
  readonly supervisors: Supervisors
  readonly projection: Projection
  readonly ledgers: Pick<NodeLedgers, 'read'>
  readonly isSleeping: (name: ContainerName) => boolean
  readonly subjects: Subjects
  readonly session: () => NatsConnection | undefined
  readonly jetStream: Pick<JetStreamWatch, 'trouble' | 'assertWell'>
  readonly info: () => Promise<Omit<NodeInfo, 'containers' | 'node' | 'supervisors'>>
  /** As that of the outer call. */
  readonly readSupervisors: () => (name: ContainerName) => SupervisorState | undefined
  /** An address with a one-time token. @throws TallyError HTTP_OFF */
  readonly invite: (actor: string) => UiReply
  /** Moves a container to the program that this coordinator runs. */
  readonly upgrade: (name: ContainerName) => Promise<UpgradeReply>
  /** @throws TallyError UNSUPPORTED when nothing would start it again */
  readonly restart: () => void
  readonly shutDown: (options: {readonly containers: boolean}) => Promise<void>
  readonly clock: Pick<Clock, 'sleep'>
  readonly logger: Logger
}

/** Waiting for the stream is cheaper than reading the journals, up to this. */
const catchUpMs = 250

export function createNodeEndpoints(dependencies: NodeServiceDependencies): readonly Endpoint[] {
  const {node, subjects, info, readSupervisors, invite, upgrade, restart, shutDown} = dependencies
  const subject = (verb: keyof typeof nodeCommandSchemas) => subjects.nodeCommand(node, verb)
  const creates = createCreateRequests()
  const make = (wanted: CreateRequest, origin: Asked) => {
    const id = wanted.id ?? randomBytes(6).toString('hex')
    return creates.join({namespace: wanted.namespace, id}, origin, () => create(dependencies, {...wanted, id}, origin))
  }
  return [
    endpoint('create', subject('create'), nodeCommandSchemas.create, make),
    endpoint('restore', subject('restore'), nodeCommandSchemas.restore, ({id, namespace, autoRemove, ...checkpoint}, origin) => {
      const {id: _another, ...request} = readManifest(checkpoint.image).request
      return make({...request, namespace, autoRemove, checkpoint, ...(id !== undefined && {id})}, origin)
    }),
    endpoint('list', subject('list'), nodeCommandSchemas.list, async ({all, namespace, ...page}, _origin, {room}) => {
      const views = await list(dependencies)
      const isShown = (view: ContainerView) => (all || isLive(view)) && (namespace === undefined || view.namespace === namespace)
      return toListReply(views.filter(isShown), page, room)
    }),
    endpoint('info', subject('info'), nodeCommandSchemas.info, async () => {
      const views = await list(dependencies)
      const toSupervisor = readSupervisors()
      const containers: Record<string, number> = {}
      for (const {state} of views) containers[state] = (containers[state] ?? 0) + 1
      const supervisors = countSupervisors(views.flatMap(({namespace, id}) => toSupervisor({namespace, id}) ?? []))
      return {node, ...(await info()), containers, supervisors}
    }),
    endpoint('ui', subject('ui'), nodeCommandSchemas.ui, async (_request, {actor}) => invite(actor)),
    // Of supervisors up to 0.4, whose processes had no shim.
    endpoint('hold', subject('hold'), nodeCommandSchemas.hold, async () => ({})),
    endpoint('upgrade', subject('upgrade'), nodeCommandSchemas.upgrade, upgrade),
    endpoint('restart', subject('restart'), nodeCommandSchemas.restart, async () => {
      restart()
      return {}
    }),
    endpoint('shutdown', subject('shutdown'), nodeCommandSchemas.shutdown, async ({containers}) => {
      await shutDown({containers})
      return {}
    }),
  ]
}

async function create(
  {node, directories, supervisors, jetStream, clock, logger}: NodeServiceDependencies,
  request: CreateRequest & {readonly id: string},
  origin: Asked,
): Promise<unknown> {
  const {namespace, id} = request
  const findFormer = () => findFormerCreate(directories, {namespace, id}, {origin, clock})
  const former = origin.isRetry && (await findFormer())
  if (former) return former
  jetStream.assertWell()
  const checked = await checkRequest(request)
  const reservation = reserveContainer(directories, {namespace, id})
  try {
    return await supervisors.assign({
      node,
      namespace,
      id,
      uid: randomUUID(),
      work: {type: 'create', request: {...checked, id}, actor: origin.actor, correlationId: origin.correlationId},
    })
  } catch (error) {
    // Its supervisor may have died and another have taken over; or the supervisor of a former coordinator was faster than ours.
    const taken = await findFormer()
    if (taken) return taken
    // Whatever failed, an id without a journal is free.
    try {
      releaseContainer(directories, {namespace, id}, reservation)
    } catch (cause) {
      logger.error({err: cause, namespace, id}, 'cannot remove what a failed create has left; trying again')
    }
    logger.info({err: error, namespace, id}, 'create failed')
    throw error
  }
}

/** Answers also without the stream: the journals have what the stream lacks. */
async function list({
  node,
  projection,
  ledgers,
  isSleeping,
  session,
  jetStream,
}: NodeServiceDependencies): Promise<readonly ContainerView[]> {
  const connection = jetStream.trouble() === undefined ? session() : undefined
  const isCaughtUp = connection !== undefined && (await projection.caughtUp(connection, catchUpMs).catch(() => false))
  const found = await ledgers.read(isCaughtUp)
  const views = found.flatMap((ledger) => toContainerView(ledger) ?? []).filter((view) => view.node === node)
  return views.map((view) => (isSleeping(view) ? {...view, sleeping: true} : view))
}

/** What `ps` shows without `-a`. */
function isLive({state}: ContainerView): boolean {
  return state !== 'stopped' && state !== 'failed'
}
