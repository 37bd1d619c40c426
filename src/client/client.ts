/** The public TypeScript client: a node's commands as functions, over one NATS connection. */
import {randomBytes, randomUUID} from 'node:crypto'
import {setTimeout as sleep} from 'node:timers/promises'
import type {NatsConnection} from 'nats'
import * as z from 'zod'
import type {checkpointSpecSchema} from '../../machines/schemas/checkpoint.ts'
import type {ContainerVerb, containerCommandSchemas, nodeCommandSchemas, NodeVerb} from '../../machines/commands/commands.ts'
import type {CreateRequestInput} from '../../machines/schemas/create-request.ts'
import type {ConsoleSize} from '../../machines/schemas/fields.ts'
import type {ContainerAddress} from '../../machines/ledger/ids.ts'
import type {Limits} from '../../machines/schemas/limits.ts'
import type {ProcessExit} from '../../machines/ledger/process-exit.ts'
import type {StreamName} from '../../machines/schemas/streams.ts'
import {type TopReply, topReplySchema} from '../../machines/views/top.ts'
import {type RepublishReply, republishReplySchema} from '../../machines/views/republish.ts'
import {type StatsReply, statsReplySchema} from '../../machines/views/stats.ts'
import {
  type ContainerView,
  containerViewSchema,
  type NodeInfo,
  nodeInfoSchema,
  listReplySchema,
  type LogReply,
  logReplySchema,
  type OutputReply,
  outputReplySchema,
  type ProcessView,
  processViewSchema,
  type UiReply,
  uiReplySchema,
} from '../../machines/views/view.ts'
import {TallyError} from '../kernel/errors.ts'
import {requestJson} from '../messaging/codec.ts'
import {createDialer} from '../messaging/dialer.ts'
import {createEventReader, type EventReader, type EventReaderOptions} from '../messaging/event-reader.ts'
import {type ReadOptions, readEvents} from '../messaging/read-events.ts'
import type {StreamedEvent} from '../messaging/stream.ts'
import {createSubjects, type Subjects} from '../messaging/subjects.ts'
import {type Again, type Asker, createAsker, type Patience} from './retry.ts'
import {type ConnectionWish, findConnection} from './find-connection.ts'
import {asReturning, connectReturning, type ReturningConnection} from './returning-connection.ts'
import {completeView, type ListPage, listAll, topAll} from './pages.ts'

/** As sent: defaults may be absent. */
export type ExecRequestInput = z.input<typeof containerCommandSchemas.exec>

export type CheckpointInput = z.input<typeof checkpointSpecSchema>
export type RestoreInput = z.input<typeof nodeCommandSchemas.restore>

/** `runDir`: where the node keeps its connection file; `/run/tally` unless told. Not needed when `nats` and `node` are given. */
export interface ClientOptions extends ConnectionWish {
  /** Who asks, for the ledger. */
  readonly actor?: string
  /** False: what is asked fails when the connection is lost, instead of waiting until it is back. */
  readonly returns?: boolean
  /** For how long a server may take to answer when we connect: 20 s, or 5 s when there are others, unless told. */
  readonly patienceMs?: number
  /** The connection was lost, and is waited for. */
  readonly onLost?: () => void
  readonly onBack?: () => void
}

export interface TallyClient extends AsyncDisposable {
  readonly node: string
  /** The present one: another after it was lost, unless the client was made not to return. */
  readonly connection: NatsConnection
  readonly subjects: Subjects
  /** Resolves when there is a connection, at once when it is not lost. @throws TallyError NATS_UNREACHABLE when it is, and does not return */
  back(): Promise<void>
  create(request: CreateRequestInput): Promise<ContainerView>
  /** A container from a checkpoint, ready to start. */
  restore(request: RestoreInput): Promise<ContainerView>
  list(options?: {readonly all?: boolean; readonly namespace?: string}): Promise<readonly ContainerView[]>
  info(): Promise<NodeInfo>
  /** An address of the node's page that is good for one login. */
  ui(): Promise<UiReply>
  shutdown(options?: {readonly containers?: boolean}): Promise<void>
  container(id: string, namespace?: string): ContainerClient
  /** Events in the order of the stream; following, it goes on until the connection ends. */
  events(options: ReadOptions): AsyncGenerator<StreamedEvent>
  /** The same over several connections, and over a stream that is deleted, purged or rolled back meanwhile: each event once. */
  reader(options: EventReaderOptions): EventReader
}

/** A process of a container: its init, or one that was added. */
export interface ProcessClient {
  readonly address: ContainerAddress
  /** The id of an added process; undefined for init. */
  readonly exec: string | undefined
  kill(signal?: string | number): Promise<unknown>
  /** Of its terminal, in characters. */
  resize(size: ConsoleSize): Promise<unknown>
  /** An end of file, after what was sent before. */
  closeStdin(): Promise<unknown>
  /** Resolves when it has ended, however long that takes. */
  wait(): Promise<{readonly exit?: ProcessExit | undefined}>
  /**
   * @param options `holdMs`: for how long what removes itself has to wait for who asks; 0 lets go. `holdFrom`: what he has not got yet, for
   *   which an added process waits
   */
  output(
    stream: StreamName,
    offset: number,
    options?: {readonly holdMs?: number; readonly holdFrom?: Readonly<Record<StreamName, number>>; readonly limitBytes?: number},
  ): Promise<OutputReply>
  /** Entries of its log from a file position, or the last `tail` lines of it. */
  log(from: {readonly position: number} | {readonly tail: number}): Promise<LogReply>
}

/** One that was added. Each rejects with EXEC_NOT_FOUND when it has been deleted. */
export interface ExecClient extends ProcessClient {
  readonly exec: string
  start(): Promise<ProcessView>
  /** @param options `all`: its whole process group */
  kill(signal?: string | number, options?: {readonly all?: boolean}): Promise<ProcessView>
  state(): Promise<ProcessView>
  wait(): Promise<ProcessView>
  /** Once it has ended, or before it is started. */
  delete(): Promise<ContainerView>
}

/**
 * Each rejects with CONTAINER_NOT_FOUND, at once, when no such container lives on the node. One whose supervisor has just died is waited
 * for until another has taken over; SUPERVISOR_FAILED when that takes too long.
 */
export interface ContainerClient extends ProcessClient {
  /** Adds a process, and starts it unless `start` is false. */
  addProcess(request: ExecRequestInput): Promise<ProcessView>
  /** One that was added. */
  process(exec: string): ExecClient
  start(): Promise<ContainerView>
  /** @param options `all`: every process of the container, not init alone */
  kill(signal?: string | number, options?: {readonly all?: boolean}): Promise<ContainerView>
  /** Freezes every process; a stop, a SIGKILL or a forced delete thaws them. */
  pause(): Promise<ContainerView>
  resume(): Promise<ContainerView>
  /** Writes its processes to a directory of the node; they end with that, unless they are left running. */
  checkpoint(checkpoint: CheckpointInput): Promise<ContainerView>
  /** Changes limits; `null` lifts one. */
  update(limits: Limits): Promise<ContainerView>
  stop(options?: {readonly signal?: string; readonly graceMs?: number}): Promise<ContainerView>
  delete(options?: {readonly force?: boolean}): Promise<ContainerView>
  state(): Promise<ContainerView>
  /** Resolves when init has exited, however long that takes. */
  wait(): Promise<ContainerView>
  /** What it uses. @param options `watchMs`: for how long a sample a second is to be published; see `followStats` */
  stats(options?: {readonly watchMs?: number}): Promise<StatsReply>
  /** Its processes, as the host sees them. */
  top(): Promise<TopReply>
  /** Has its supervisor compare the stream with the journal, and put the stream right. */
  republish(): Promise<RepublishReply>
}

const requestTimeoutMs = 60_000
/** For what moves all of a container's memory. */
const criuTimeoutMs = 360_000
/** A coordinator sees at once that a supervisor has died; another takes over within a second, or later on a machine that is busy. */
const adoptionPatienceMs = 30_000
/** A coordinator or a supervisor that has lost its server is on another one within that. */
const clusterPatienceMs = 3_000
/** Before who was not there is asked again. Many may wait for the same supervisor, and the coordinator, which they ask as well, has to start it. */
const toPollMs = (asked: number) => Math.min(1_000, 100 * 1.5 ** (asked - 1))

/** A supervisor that nobody waits for any more is not to remember who has. */
const waitMs = 4_000
/** The answer comes a little after that, if it comes. */
const untilItEnds: Patience = {patienceMs: Number.POSITIVE_INFINITY, againMs: [waitMs + 1_000]}
const usualPatience: Patience = {patienceMs: requestTimeoutMs}

/** @throws TallyError NODE_NOT_RUNNING, NATS_UNREACHABLE, NATS_AUTH_FAILED, NATS_TLS_FAILED */
export async function connectTally(options: ClientOptions = {}): Promise<TallyClient> {
  const {onLost, onBack, returns = true, patienceMs} = options
  const {node, prefix} = await findConnection(options)
  const dialer = createDialer()
  // The server may have moved meanwhile.
  const dial = async () =>
    await dialer.dial({
      ...(await findConnection(options)),
      ...(patienceMs !== undefined && {patienceMs}),
      name: `tally client ${process.pid}`,
    })
  const connection = returns ? await connectReturning({dial, onLost, onBack}) : asReturning(await dial())
  const identity = {node, subjects: createSubjects(prefix), actor: options.actor ?? 'client'}
  return createClientOver(connection, {...identity, isCluster: dialer.servers().length > 1 && returns})
}

interface Identity {
  readonly node: string
  readonly subjects: Subjects
  readonly actor: string
}

/** Over a connection of the caller's, which is closed with it. */
export function createClient(connection: NatsConnection, identity: Identity): TallyClient {
  return createClientOver(asReturning(connection), identity)
}

function createClientOver(
  connection: ReturningConnection,
  {node, subjects, actor, isCluster = false}: Identity & {readonly isCluster?: boolean},
): TallyClient {
  return {
    node,
    get connection() {
      return connection.present
    },
    subjects,
    back: async () => void (await connection.back()),
    create: (request) => askNode('create', {...request, id: request.id ?? randomId()}, containerViewSchema),
    restore: (request) => askNode('restore', {...request, id: request.id ?? randomId()}, containerViewSchema),
    list: (options = {}) => listAll((page) => askNode('list', {...options, ...page}, listReplySchema)),
    info: () => askNode('info', {}, nodeInfoSchema),
    ui: () => askNode('ui', {}, uiReplySchema),
    shutdown: async (options = {}) => void (await askNode('shutdown', options, z.object({}))),
    container,
    events: (options) => readEvents(connection.present, subjects, {reader: 'client', ...options}),
    reader: (options) => createEventReader(subjects, {reader: 'client', ...options}),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }

  async function askNode<S extends z.ZodType>(verb: NodeVerb, request: unknown, schema: S): Promise<z.output<S>> {
    const subject = subjects.nodeCommand(node, verb)
    // A node that shuts down answers, and is gone: there is nobody to ask again.
    const patience: Patience = verb === 'shutdown' ? {...usualPatience, againMs: [requestTimeoutMs], once: true} : usualPatience
    const asked = createAsker((timeoutMs, origin) => ask(subject, request, schema, timeoutMs, origin), patience, connection)
    const absence = createAbsence(asked)
    for (; ; await sleep(toPollMs(asked.attempts))) {
      const reply = await asked.untilAnswered()
      if (reply !== undefined) return reply
      if (!absence.isPassing())
        throw new TallyError('NODE_NOT_RUNNING', `no coordinator answers for node ${node}; \`tally up\` starts one`, {details: {node}})
    }
  }

  /** Asked whenever nobody answers: whether somebody soon may. */
  function createAbsence(asked: {readonly attempts: number}): {isPassing(): boolean} {
    let endsAt: number | undefined
    return {
      isPassing: () => {
        // It was there when it was asked: it is about to be started again. In a cluster it may be on its way to another server.
        endsAt ??= performance.now() + (asked.attempts > 1 ? adoptionPatienceMs : isCluster ? clusterPatienceMs : 0)
        return connection.isRecent || performance.now() < endsAt
      },
    }
  }

  function ask<S extends z.ZodType>(
    subject: string,
    request: unknown,
    schema: S,
    timeoutMs: number,
    {correlationId = randomUUID(), isRetry = false}: Partial<Again> = {},
  ): Promise<z.output<S> | undefined> {
    return requestJson(connection.present, subject, request, {schema, timeoutMs, origin: {actor, correlationId, isRetry}})
  }

  function container(id: string, namespace = 'default'): ContainerClient {
    const address = {node, namespace, id}
    return {
      address,
      exec: undefined,
      addProcess: ({exec = randomId(), ...request}) => send('exec', {exec, ...request}, processViewSchema),
      process,
      start: () => command('start', {}, {patienceMs: criuTimeoutMs}),
      kill: (signal, {all} = {}) => command('kill', {...(signal !== undefined && {signal}), ...(all !== undefined && {all})}),
      resize: (size) => command('resize', size),
      closeStdin: () => command('close-stdin', {}),
      pause: () => command('pause', {}),
      resume: () => command('resume', {}),
      checkpoint: (checkpoint) => command('checkpoint', checkpoint, {patienceMs: criuTimeoutMs}),
      update: (limits) => command('update', limits),
      stop: ({signal, graceMs} = {}) =>
        command(
          'stop',
          {...(signal !== undefined && {signal}), ...(graceMs !== undefined && {graceMs})},
          {patienceMs: requestTimeoutMs + (graceMs ?? 10_000)},
        ),
      delete: ({force = false} = {}) => command('delete', {force}),
      state: async () => await completeView(await command('state', {}), (execsFrom) => command('state', {execsFrom})),
      wait: () => command('wait', {waitMs}, untilItEnds),
      output: (stream, offset, options = {}) => send('output', {stream, offset, ...options}, outputReplySchema),
      log: (from) => send('log', from, logReplySchema),
      stats: (options = {}) => send('stats', options, statsReplySchema),
      top: () => topAll((page) => send('top', page, topReplySchema)),
      republish: () => send('republish', {}, republishReplySchema),
    }

    function process(exec: string): ExecClient {
      return {
        address,
        exec,
        start: () => ofProcess('start', {}),
        kill: (signal, {all} = {}) => ofProcess('kill', {...(signal !== undefined && {signal}), ...(all !== undefined && {all})}),
        resize: (size) => ofProcess('resize', size),
        closeStdin: () => ofProcess('close-stdin', {}),
        state: () => ofProcess('state', {}),
        wait: () => ofProcess('wait', {waitMs}, untilItEnds),
        delete: () => command('delete', {exec}),
        output: (stream, offset, options = {}) => send('output', {exec, stream, offset, ...options}, outputReplySchema),
        log: (from) => send('log', {exec, ...from}, logReplySchema),
      }

      function ofProcess(verb: ContainerVerb, request: object, patience = usualPatience): Promise<ProcessView> {
        return send(verb, {exec, ...request}, processViewSchema, patience)
      }
    }

    function command(verb: ContainerVerb, request: unknown, patience = usualPatience): Promise<ContainerView> {
      return send(verb, request, containerViewSchema, patience)
    }

    async function send<S extends z.ZodType>(
      verb: ContainerVerb,
      request: unknown,
      schema: S,
      patience = usualPatience,
    ): Promise<z.output<S>> {
      const subject = subjects.containerCommand(address, verb)
      const asked = createAsker((leftMs, origin) => ask(subject, request, schema, leftMs, origin), patience, connection)
      const absence = createAbsence(asked)
      for (let aloneSince: number | undefined; ; await sleep(toPollMs(asked.attempts))) {
        const reply = await asked.untilAnswered()
        if (reply !== undefined) return reply
        const {view, isKnown} = await find(address, patience)
        if (view) {
          aloneSince ??= performance.now()
          if (view.unsupervised || performance.now() > aloneSince + adoptionPatienceMs) throw unsupervised(view)
          continue
        }
        const ended = isKnown || verb !== 'wait' ? await findEnded(address, verb, asked) : undefined
        if (ended) return schema.parse(ended)
        if (isKnown ? !connection.isRecent : !absence.isPassing())
          throw new TallyError('CONTAINER_NOT_FOUND', `no container ${id} in namespace ${namespace} on node ${node}`, {
            details: {...address},
          })
      }
    }
  }

  /** What we asked for may have been carried out, and the container be gone, before we could hear of it. */
  async function findEnded(address: ContainerAddress, verb: ContainerVerb, asked: Asker<unknown>): Promise<ContainerView | undefined> {
    if (verb !== 'delete' && asked.attempts === 1) return undefined
    const {findDeleted} = await import('./find-deleted.ts')
    for (;;) {
      const {present} = connection
      try {
        return await findDeleted(readEvents(present, subjects, {filter: address, follow: false}), verb, asked.correlationId)
      } catch {
        // A stream that cannot be read tells of nothing; in a cluster it may be about to have another leader.
        if (!present.isClosed()) return undefined
        await connection.back()
      }
    }
  }

  /** As the coordinator knows it; `isKnown` is false when there is no coordinator either. */
  async function find(
    {namespace, id}: ContainerAddress,
    {patienceMs}: Patience,
  ): Promise<{readonly view?: ContainerView | undefined; readonly isKnown: boolean}> {
    let isKnown = true
    const list = async (page: ListPage) => {
      const request = {all: true, namespace, ...page}
      const asked = createAsker(
        (timeoutMs, origin) => ask(subjects.nodeCommand(node, 'list'), request, listReplySchema, timeoutMs, origin),
        {patienceMs},
        connection,
      )
      const reply = await asked.untilAnswered()
      isKnown = reply !== undefined
      return reply ?? {containers: []}
    }
    return {view: (await listAll(list)).find((view) => view.id === id), isKnown}
  }
}

/** As the coordinator and docker give it. */
function randomId(): string {
  return randomBytes(6).toString('hex')
}

function unsupervised({node, namespace, id, unsupervised}: ContainerView): TallyError {
  const why = unsupervised
    ? 'its supervisors have died again and again, and it gets no other before the node is started again: `tally down`, `tally up -d`'
    : `its supervisor has died, and no other took over within ${adoptionPatienceMs / 1_000} s`
  return new TallyError('SUPERVISOR_FAILED', `nobody answers for container ${id}: ${why}`, {details: {node, namespace, id}})
}

/** How a container ended, as the stream tells it, also when the container is gone; undefined when it tells of no end. */
export async function findExit(client: TallyClient, {node, namespace, id, uid}: ContainerView): Promise<ProcessExit | undefined> {
  for await (const {event} of client.events({filter: {node, namespace, id, type: 'container.exited'}, follow: false})) {
    if (event.type === 'container.exited' && event.uid === uid) return event.data.exit
  }
  return undefined
}
