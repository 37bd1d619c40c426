/** The container's address on NATS: its commands, each answered when its outcome is in the ledger. */
import {type Command, containerCommandSchemas} from '../../machines/commands.ts'
import type {ContainerAddress} from '../../machines/ids.ts'
import type {Ledger} from '../../machines/ledger.ts'
import {toContainerView} from '../../machines/container-view.ts'
import type {TopReply} from '../../machines/processes.ts'
import type {StatsReply} from '../../machines/stats.ts'
import type {ContainerView, LogReply, OutputReply} from '../../machines/view.ts'
import type {Clock} from '../kernel/clock.ts'
import {TallyError} from '../kernel/errors.ts'
import type {Logger} from '../kernel/log.ts'
import type {NatsLink} from '../messaging/link.ts'
import type {Outbox} from '../messaging/outbox.ts'
import {type Endpoint, endpoint, registerService, type Service} from '../messaging/services.ts'
import type {Subjects} from '../messaging/subjects.ts'
import type {StreamName} from '../stdio/container-stdio.ts'
import {findTail, readLogPage} from '../stdio/log-file.ts'
import type {Loop, Origin} from './loop.ts'
import type {Output} from './output.ts'
import type {Stats} from './stats.ts'
import {listContainerProcesses} from './top.ts'

export interface ServiceDependencies {
  readonly address: ContainerAddress
  readonly uid: string
  readonly version: string
  readonly loop: Loop
  readonly output: Output
  readonly readOutput: (stream: StreamName, offset: number, limitBytes: number) => Buffer
  readonly stats: Stats
  /** Which pids on the host came by which exec, for `top`. */
  readonly execIds?: () => ReadonlyMap<number, string>
  /** The CRI log. */
  readonly logFile: string
  readonly link: NatsLink
  readonly outbox: Outbox
  readonly subjects: Subjects
  readonly clock: Pick<Clock, 'sleep'>
  readonly logger: Logger
}

/** How long a reply waits for the stream, so that who asks can read its own writes there; the journal has them anyway. */
const publicationPatienceMs = 1_000

export interface ContainerService {
  /**
   * The container is gone: takes no more requests, so that whoever asks from now on finds nobody, and then answers those that
   * waited for it to be gone. Resolves when all are answered, or after the time.
   */
  close(timeoutMs: number): Promise<void>
}

/** Answers on every session from now on. */
export function serveContainer(dependencies: ServiceDependencies): ContainerService {
  const {address, uid, version, link, clock, logger} = dependencies
  const unanswered = new Set<Promise<unknown>>()
  const gone = Promise.withResolvers<void>()
  const endpoints = createEndpoints(dependencies, gone.promise).map((one) => ({...one, handle: tracked(one.handle)}))
  let service: Service | undefined
  link.onSession(async (connection) => {
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
    close: async (timeoutMs) => {
      // Without a connection there is nobody to take requests from.
      await Promise.race([service?.stop().catch(() => {}), clock.sleep(timeoutMs)])
      gone.resolve()
      await Promise.race([Promise.allSettled(unanswered), clock.sleep(timeoutMs)])
    },
  }

  function tracked(handle: Endpoint['handle']): Endpoint['handle'] {
    return async (bytes, origin) => {
      const answer = handle(bytes, origin)
      unanswered.add(answer)
      try {
        return await answer
      } finally {
        unanswered.delete(answer)
      }
    }
  }
}

/** The ledger as its owner shows it. */
export function toOwnView(ledger: Ledger): ContainerView {
  const view = toContainerView(ledger, process.pid)
  if (!view) throw new TallyError('INTERNAL', 'the ledger of this container is empty')
  return view
}

function createEndpoints(
  {address, loop, output, readOutput, logFile, outbox, subjects, stats, execIds}: ServiceDependencies,
  gone: Promise<void>,
): readonly Endpoint[] {
  const subject = (verb: keyof typeof containerCommandSchemas) => subjects.containerCommand(address, verb)
  const command =
    <T>(toCommand: (request: T) => Command) =>
    async (request: T, origin: Origin): Promise<ContainerView> =>
      await published(await loop.submit(toCommand(request), origin))

  return [
    endpoint(
      'start',
      subject('start'),
      containerCommandSchemas.start,
      command(() => ({type: 'start'})),
    ),
    endpoint(
      'kill',
      subject('kill'),
      containerCommandSchemas.kill,
      command(({signal, all}) => ({type: 'kill', signal, all})),
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
      'update',
      subject('update'),
      containerCommandSchemas.update,
      command((limits) => ({type: 'update', limits})),
    ),
    endpoint(
      'stop',
      subject('stop'),
      containerCommandSchemas.stop,
      command(({signal, graceMs}) => ({type: 'stop', signal, graceMs})),
    ),
    endpoint('delete', subject('delete'), containerCommandSchemas.delete, async ({force}, origin): Promise<ContainerView> => {
      const ledger = await loop.submit({type: 'delete', force}, origin)
      // Its id is free, and its address silent, when the answer comes.
      await gone
      return toOwnView(ledger)
    }),
    endpoint('state', subject('state'), containerCommandSchemas.state, async () => toOwnView(loop.ledger)),
    endpoint('wait', subject('wait'), containerCommandSchemas.wait, async () => await published(await loop.waitForExit())),
    endpoint(
      'output',
      subject('output'),
      containerCommandSchemas.output,
      async ({stream, offset, holdMs, limitBytes}): Promise<OutputReply> => {
        if (holdMs !== undefined) output.hold(holdMs)
        const ended = output.ended
        const total = output.totals[stream]
        return {offset, data: readOutput(stream, offset, limitBytes).toString('base64'), total, ended}
      },
    ),
    endpoint('log', subject('log'), containerCommandSchemas.log, async ({position, tail, limitBytes}): Promise<LogReply> => {
      const {ended} = output
      const start = position ?? (tail === undefined ? 0 : findTail(logFile, tail))
      const {entries, next, atEnd} = readLogPage(logFile, start, limitBytes)
      return {
        entries: entries.map(({time, stream, bytes}) => ({time, stream, data: bytes.toString('base64')})),
        next,
        ended: ended && atEnd,
      }
    }),
    endpoint('stats', subject('stats'), containerCommandSchemas.stats, async ({watchMs}): Promise<StatsReply> => {
      stats.watch(watchMs)
      return stats.read()
    }),
    endpoint('top', subject('top'), containerCommandSchemas.top, async (): Promise<TopReply> => {
      const {cgroups, init} = loop.ledger.snapshot.context
      return {processes: [...listContainerProcesses({cgroups, initPid: init?.pid, ...(execIds && {execIds: execIds()})})]}
    }),
  ]

  async function published(ledger: Ledger): Promise<ContainerView> {
    await outbox.whenAcknowledged(ledger.latest?.sequence ?? 0, publicationPatienceMs)
    return toOwnView(ledger)
  }
}
