/** The container's address on NATS: its commands, each answered when its outcome is in the ledger. */
import {type Command, containerCommandSchemas} from '../../../machines/commands/commands.ts'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import {randomBytes} from 'node:crypto'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import type {TopReply} from '../../../machines/views/top.ts'
import type {RepublishReply} from '../../../machines/views/republish.ts'
import type {StatsReply} from '../../../machines/views/stats.ts'
import type {ContainerView, LogReply, OutputReply, ProcessView} from '../../../machines/views/view.ts'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError} from '../../kernel/errors.ts'
import type {Logger} from '../../kernel/log.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {Outbox} from '../../messaging/outbox.ts'
import {takePage, toBase64Room} from '../../messaging/page.ts'
import {type Endpoint, endpoint, registerService, type Service} from '../../messaging/services.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import {assertLimits} from '../../runtime/spec/limit-bounds.ts'
import {findEnd} from '../../stdio/log-file.ts'
import {readLogPage} from '../../stdio/log-page.ts'
import {findTail} from '../../stdio/log-tail.ts'
import {createOutputReader, type OutputReader} from '../../stdio/output-reader.ts'
import type {Loop} from '../loop/loop.ts'
import type {Origin} from '../loop/origin.ts'
import {fitToMessage} from './fit-to-message.ts'
import {createInputEndpoint} from '../input/input-endpoint.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'
import type {Output} from '../output/output.ts'
import type {Outputs} from '../output/outputs.ts'
import {isToCome, toExecIds, toExecView, toOwnView, toView, toViewFrom, unknownExec} from './replies.ts'
import type {Stats} from '../processes/stats.ts'
import {listContainerProcesses, toTopReply} from '../processes/top.ts'

export interface ServiceDependencies {
  readonly address: ContainerAddress
  readonly uid: string
  readonly version: string
  readonly loop: Loop
  readonly outputs: Outputs
  readonly layout: ContainerLayout
  readonly stats: Stats
  readonly link: NatsLink
  readonly outbox: Outbox
  readonly subjects: Subjects
  readonly clock: Pick<Clock, 'sleep'>
  readonly logger: Logger
}

/** How long a reply waits for the stream, so that who asks can read its own writes there; the journal has them anyway. */
const publicationPatienceMs = 1_000
const republicationPatienceMs = 30_000

export interface ContainerService {
  /** Takes no more requests, so that whoever asks from now on finds nobody. Resolves when the server knows, or after the time. */
  leave(timeoutMs: number): Promise<void>
  /** The container is gone: answers those that waited for that. Resolves when all are answered. */
  answerAll(): Promise<void>
}

/** Answers on every session from now on. */
export function serveContainer(dependencies: ServiceDependencies): ContainerService {
  const {address, uid, version, link, clock, logger} = dependencies
  const unanswered = new Set<Promise<unknown>>()
  const gone = Promise.withResolvers<void>()
  const endpoints = createEndpoints(dependencies, gone.promise).map((one) => ({...one, handle: tracked(fitToMessage(one.handle))}))
  let service: Service | undefined
  let hasLeft = false
  link.onSession(async (connection) => {
    if (hasLeft) return
    service = await registerService(connection, {
      name: 'tally-supervisor',
      version,
      description: `supervises container ${address.namespace}/${address.id}`,
      metadata: {...address, uid, pid: String(process.pid)},
      endpoints,
      logger,
    })
  })

  return {
    leave: async (timeoutMs) => {
      hasLeft = true
      // Without a connection there is nobody to take requests from.
      await Promise.race([service?.stop().catch(() => {}), clock.sleep(timeoutMs)])
    },
    answerAll: async () => {
      gone.resolve()
      await Promise.allSettled(unanswered)
    },
  }

  function tracked(handle: Endpoint['handle']): Endpoint['handle'] {
    return async (bytes, origin, message) => {
      const answer = handle(bytes, origin, message)
      unanswered.add(answer)
      try {
        return await answer
      } finally {
        unanswered.delete(answer)
      }
    }
  }
}

function createEndpoints(
  {address, loop, outputs, layout, outbox, subjects, stats, clock}: ServiceDependencies,
  gone: Promise<void>,
): readonly Endpoint[] {
  const subject = (verb: keyof typeof containerCommandSchemas) => subjects.containerCommand(address, verb)
  /** By what they read: an id that is free again is another's. */
  const readers = new WeakMap<Output, OutputReader>()
  const command =
    <T>(toCommand: (request: T) => Command) =>
    async (request: T, origin: Origin): Promise<ContainerView> =>
      await published(await loop.submit(toCommand(request), origin))
  /** For init, or for the added process that the request names. */
  const either =
    <T extends {readonly exec?: string | undefined}>(
      toCommand: (request: T) => Command,
      toExec: (request: T & {exec: string}) => Command,
    ) =>
    async (request: T, origin: Origin): Promise<ContainerView | ProcessView> => {
      const {exec} = request
      if (exec === undefined) return await published(await loop.submit(toCommand(request), origin))
      return await published(await loop.submit(toExec({...request, exec}), origin), exec)
    }

  return [
    endpoint(
      'start',
      subject('start'),
      containerCommandSchemas.start,
      either(
        () => ({type: 'start'}),
        ({exec}) => ({type: 'exec-start', exec}),
      ),
    ),
    endpoint('exec', subject('exec'), containerCommandSchemas.exec, async (request, origin): Promise<ProcessView> => {
      const {exec = randomBytes(6).toString('hex'), start, holdMs, ...spec} = request
      const added = await loop.submit({type: 'exec', exec, spec}, origin)
      if (holdMs !== undefined) outputs.of(exec).lease.take(holdMs)
      return await published(start ? await loop.submit({type: 'exec-start', exec}, origin) : added, exec)
    }),
    endpoint(
      'kill',
      subject('kill'),
      containerCommandSchemas.kill,
      either(
        ({signal, all}) => ({type: 'kill', signal, all}),
        ({exec, signal, all}) => ({type: 'exec-kill', exec, signal, all}),
      ),
    ),
    endpoint(
      'resize',
      subject('resize'),
      containerCommandSchemas.resize,
      either(
        ({columns, rows}) => ({type: 'resize', columns, rows}),
        ({exec, columns, rows}) => ({type: 'exec-resize', exec, columns, rows}),
      ),
    ),
    endpoint(
      'close-stdin',
      subject('close-stdin'),
      containerCommandSchemas['close-stdin'],
      either(
        () => ({type: 'close-stdin'}),
        ({exec}) => ({type: 'exec-close-stdin', exec}),
      ),
    ),
    endpoint(
      'pause',
      subject('pause'),
      containerCommandSchemas.pause,
      command(() => ({type: 'pause'})),
    ),
    endpoint(
      'resume',
      subject('resume'),
      containerCommandSchemas.resume,
      command(() => ({type: 'resume'})),
    ),
    endpoint(
      'checkpoint',
      subject('checkpoint'),
      containerCommandSchemas.checkpoint,
      command((checkpoint) => ({type: 'checkpoint', checkpoint})),
    ),
    endpoint(
      'update',
      subject('update'),
      containerCommandSchemas.update,
      command((limits) => {
        assertLimits(limits)
        return {type: 'update', limits}
      }),
    ),
    endpoint(
      'stop',
      subject('stop'),
      containerCommandSchemas.stop,
      command(({signal, graceMs}) => ({type: 'stop', signal, graceMs})),
    ),
    endpoint('delete', subject('delete'), containerCommandSchemas.delete, async ({exec, force}, origin) => {
      if (exec !== undefined) return toOwnView(await loop.submit({type: 'exec-delete', exec}, origin))
      const ledger = await loop.submit({type: 'delete', force}, origin)
      // Its id is free, and its address silent, when the answer comes.
      await gone
      return toOwnView(ledger)
    }),
    endpoint('state', subject('state'), containerCommandSchemas.state, async ({exec, execsFrom}) =>
      execsFrom === undefined ? toView(loop.ledger, exec) : toViewFrom(loop.ledger, execsFrom),
    ),
    endpoint(
      'wait',
      subject('wait'),
      containerCommandSchemas.wait,
      async ({exec, waitMs}) => await published(await loop.waitForExit(exec, waitMs), exec),
    ),
    createInputEndpoint({subjects, address, outputs, loop, layout, clock}),
    endpoint(
      'output',
      subject('output'),
      containerCommandSchemas.output,
      async ({exec, stream, offset, holdMs, holdFrom, limitBytes}, _origin, {room}): Promise<OutputReply> => {
        if (exec !== undefined && !loop.ledger.processes.has(exec)) throw unknownExec(exec)
        const output = outputs.of(exec)
        if (holdMs !== undefined) output.lease.take(holdMs, holdFrom)
        const ended = output.ended && !isToCome(loop.ledger, exec)
        const total = output.totals[stream]
        // Who only holds does not want any.
        if (offset >= total) return {offset, data: '', total, ended}
        const {offset: begin, bytes} = toReader(exec).read(stream, offset, Math.min(limitBytes, toBase64Room(room)))
        return {offset: begin, data: bytes.toString('base64'), total, ended}
      },
    ),
    endpoint(
      'log',
      subject('log'),
      containerCommandSchemas.log,
      async ({exec, position, tail, limitBytes}, _origin, {room}): Promise<LogReply> => {
        if (exec !== undefined && !loop.ledger.processes.has(exec)) throw unknownExec(exec)
        const ended = outputs.of(exec).ended && !isToCome(loop.ledger, exec)
        const log = exec === undefined ? layout.log : layout.exec(exec).log
        const end = findEnd(log)
        const start = position ?? (tail === undefined ? 0 : findTail(log, tail))
        const {position: begin, entries: read, next: behind, atEnd} = readLogPage(log, start, limitBytes)
        const all = read.map(({time, stream, bytes, next}) => ({time, stream, data: bytes.toString('base64'), next}))
        const entries = [...takePage(all, {room})]
        const isAll = entries.length === all.length
        return {position: begin, entries, next: isAll ? behind : (entries.at(-1)?.next ?? behind), end, ended: ended && atEnd && isAll}
      },
    ),
    endpoint('stats', subject('stats'), containerCommandSchemas.stats, async ({watchMs}): Promise<StatsReply> => {
      stats.watch(watchMs)
      return stats.read()
    }),
    endpoint('republish', subject('republish'), containerCommandSchemas.republish, async (): Promise<RepublishReply> => {
      const {kept, wrong} = await outbox.compare()
      const published = loop.ledger.latest?.sequence ?? 0
      if (!(await outbox.whenAcknowledged(published, republicationPatienceMs)))
        throw new TallyError('TIMED_OUT', `the stream has not confirmed event ${published} within ${republicationPatienceMs} ms`)
      return {kept: kept.sequence, removed: wrong.length, published}
    }),
    endpoint('top', subject('top'), containerCommandSchemas.top, async (page, _origin, {room}): Promise<TopReply> => {
      const {cgroups, init} = loop.ledger.snapshot.context
      return toTopReply(listContainerProcesses({cgroups, initPid: init?.pid, execIds: toExecIds(loop.ledger)}), page, room)
    }),
  ]

  function toReader(exec: string | undefined): OutputReader {
    const output = outputs.of(exec)
    const reader = readers.get(output) ?? createOutputReader(exec === undefined ? layout.log : layout.exec(exec).log)
    readers.set(output, reader)
    return reader
  }

  async function published(ledger: Ledger): Promise<ContainerView>
  async function published(ledger: Ledger, exec: string): Promise<ProcessView>
  async function published(ledger: Ledger, exec: string | undefined): Promise<ContainerView | ProcessView>
  async function published(ledger: Ledger, exec?: string): Promise<ContainerView | ProcessView> {
    await outbox.whenAcknowledged(ledger.latest?.sequence ?? 0, publicationPatienceMs)
    return exec === undefined ? toOwnView(ledger) : toExecView(ledger, exec)
  }
}
