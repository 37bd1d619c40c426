/** The coordinator process: one per node. It may die and come back at any time; containers do not notice. */
import {once} from 'node:events'
import {existsSync, rmSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import type {NatsConnection} from 'nats'
import * as z from 'zod'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {parseSource} from '../../machines/ledger/ids.ts'
import type {Ledger} from '../../machines/ledger/ledger.ts'
import {createSystemClock} from '../kernel/clock.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {removeIfEmpty} from '../kernel/files.ts'
import {createLogger} from '../kernel/log.ts'
import {version} from '../kernel/version.ts'
import {requestJson} from '../messaging/codec.ts'
import {type Connection, connectToAny, readConnection, writeConnection} from '../messaging/connection.ts'
import {settleProcess} from '../linux/settle-process.ts'
import {stopEmbeddedServer} from '../messaging/embedded-server.ts'
import {createNatsLink} from '../messaging/link.ts'
import {listServers} from '../messaging/servers.ts'
import {registerService} from '../messaging/services.ts'
import {createSubjects} from '../messaging/subjects.ts'
import {readFeatures} from '../runtime/runc/features.ts'
import {createRunc} from '../runtime/runc/runc.ts'
import {toNodeConfinement} from '../runtime/spec/confine.ts'
import {readHostFacts} from '../runtime/spec/host-facts.ts'
import {openPages} from '../web/server/pages.ts'
import {findOrphans, listContainers, type Orphan} from './directories/containers.ts'
import type {ContainerName} from '../layout/container-name.ts'
import {deleteContainers} from './directories/delete-containers.ts'
import {claimDirectories, claimDirectory} from './directories/directories.ts'
import {type CoordinatorOptions, coordinatorOptionsSchema, coordinatorOptionsVariable} from './options.ts'
import {readOverview} from './endpoints/snapshot.ts'
import {readJournals} from './ledgers/journals.ts'
import {rotateDiagnostics} from './directories/diagnostics.ts'
import {followServers, readFormerServers, withServers} from './stream/known-servers.ts'
import {createMetrics} from './metrics/metrics.ts'
import {createNodeLedgers, readBefore} from './ledgers/node-ledgers.ts'
import {createProjection, type Projection} from './ledgers/projection.ts'
import {tellGivenUp} from './supervision/give-up.ts'
import {createRestartIntensity} from './supervision/restart-intensity.ts'
import {createDescriptorStore} from './supervision/descriptor-store.ts'
import {createStreamKeeper} from './stream/stream-keeper.ts'
import {openServerKeeper} from './stream/server-keeper.ts'
import {assertAlone, mustGiveWay} from './stream/only-one.ts'
import {createOrphanReaper} from './supervision/orphan-reaper.ts'
import {putBackContainers} from './directories/restore-run-dir.ts'
import {keepReserve} from './directories/disk-reserve.ts'
import {createNodeEndpoints} from './endpoints/service.ts'
import {createSupervisors} from './supervision/supervisors.ts'
import {createJetStreamWatch} from './stream/jetstream-watch.ts'

const logger = createLogger('coordinator')
const clock = createSystemClock()
const watchMs = 1_000
/** For all servers: `up` waits a little longer, and tells what we say. */
const checkPatienceMs = 10_000
/** While the end of an orphan is about to be journaled. */
const hurriedWatchMs = 50
/** A supervisor that dies meanwhile does not answer. */
const deleteAnswerMs = 8_000
/** Of each file with diagnostics, and of the one that it replaces. */
const diagnostics = {mostBytes: 16 * 1024 * 1024, lookMs: 60_000} as const
/** Of supervisors, for each container. */
const replacements = {most: 10, periodMs: 60_000, delayMs: 20} as const

const heldAnewAt: ReadonlySet<LedgerEvent['type']> = new Set(['container.created', 'container.stdin-closed', 'exec.stdin-closed'])

try {
  // What is inherited goes on to all that is started: before anything is.
  const warnings = settleProcess()
  await main(coordinatorOptionsSchema.parse(JSON.parse(process.env[coordinatorOptionsVariable] ?? '{}')), warnings)
} catch (error) {
  const {code, message} = toErrorBody(error)
  logger.fatal({code, err: error}, message)
  process.stderr.write(`tally: ${message} [${code}]\n`)
  process.exit(1)
}

async function main(options: CoordinatorOptions, warnings: readonly string[]): Promise<void> {
  const {stateDir, runDir, prefix} = options
  const startedAt = new Date(clock.now()).toISOString()
  const lock = claimDirectories(options, options.node)
  const {node} = lock
  process.title = `tally-coordinator ${node}`
  for (const warning of warnings) logger.warn(warning)
  const subjects = createSubjects(prefix)
  const connectionFile = join(runDir, 'connection.json')
  const program = dirname(fileURLToPath(import.meta.url))
  const ready = Promise.withResolvers<void>()
  // Before anything is started: an address that was asked for and cannot be had ends this.
  const pages = await openPages({
    node,
    subjects,
    address: options.http,
    ready: ready.promise,
    openLink: () => openLink('pages'),
    readOverview: (wanted) => readOverview(projection, link, wanted),
    renderMetrics: () => metrics.render(),
    stateDir,
    pageDir: join(program, 'web'),
    clock,
    logger,
  })
  const embeddedOptions = {binary: options.natsServer, dir: join(stateDir, 'nats'), runDir, clock}
  const natsKeeper = options.nats ? undefined : await openServerKeeper(embeddedOptions, logger)
  const jetStream = createJetStreamWatch({
    toKnown: () =>
      natsKeeper?.server.jetStream === false
        ? `there is no room on the disk of ${stateDir}: the node goes on by itself when there is`
        : undefined,
    url: () => toConnection().url,
    clock,
  })
  let knownServers = options.nats ? await readFormerServers(connectionFile, options.nats) : []
  const streamKeeper = createStreamKeeper({subjects, stateDir, wanted: options.stream ?? {}, clock, logger})
  await publishConnection()
  if (jetStream.trouble === undefined) {
    // Before anything waits: can we have what we need at all?
    const access = toConnection()
    const patienceMs = checkPatienceMs / listServers(access).length
    const {connection, server} = await connectToAny({...access, name: `tally-coordinator ${node} check`, patienceMs})
    // Whoever looks is to try the one that answers first.
    if (options.nats) knownServers = [server, ...knownServers]
    await publishConnection()
    await streamKeeper.ensure(connection).catch(async (error: unknown) => {
      // Not one that misreads its store and is found running by the next coordinator.
      if (natsKeeper && toErrorBody(error).code === 'STREAM_UNREADABLE') await stopEmbeddedServer(embeddedOptions)
      throw error
    })
    if (options.nats) await assertAlone(connection, {subjects, node})
    await connection.close()
  }

  const openLink = (role?: string) =>
    createNatsLink({
      readConnection: () => readConnection(connectionFile),
      name: () => [process.title, role].filter(Boolean).join(' '),
      clock,
      logger,
    })
  const link = openLink()
  link.onSession(keepEventStream)
  if (options.nats) link.onSession((connection) => followServers(connection, publishServers))
  const supervisors = createSupervisors({
    program: join(program, 'supervisor.js'),
    options: {stateDir, runDir, runtime: options.runtime},
    logFile: join(stateDir, 'supervisors.log'),
    logger,
    // What it made last may not be held yet, and has to be before it can end.
    onReady: (container) => descriptors.lookAt(container),
    onEnd: (container) => {
      descriptors.lookAt(container)
      adoptOrphans()
    },
  })
  const descriptors = createDescriptorStore({directories: options, logger})
  const reapOrphans = createOrphanReaper({descriptors, clock, logger})
  const metrics = createMetrics({
    node,
    version,
    ledgers: () => projection.ledgers,
    readJournals: () => readJournals(options, {node, ledgers: projection.ledgers}),
    isConnected: () => link.session() !== undefined,
    startedAt: Date.parse(startedAt),
    caughtUp: isCaughtUp,
  })
  const projection: Projection = createProjection({
    link,
    subjects,
    clock,
    logger,
    reader: `coordinator-${node}`,
    observer: {...metrics.observer, onFolded},
    readBefore: (event) => readBefore({node, directories: options}, event),
  })
  ready.resolve()
  const runtime = createRunc({binary: options.runtime, root: join(runDir, 'runc'), logDir: runDir})
  const intensity = createRestartIntensity(clock, replacements)
  const givenUp = new Set<string>()
  let closing = false
  let announced = false

  const endpoints = createNodeEndpoints({
    node,
    directories: options,
    supervisors,
    projection,
    ledgers: createNodeLedgers({node, directories: options, ledgers: () => projection.ledgers, logger}),
    subjects,
    session: link.session,
    jetStream,
    info: async () => {
      const found = await runtime.version().catch(() => undefined)
      const natsVersion = link.session()?.info?.version
      return {
        version,
        coordinatorPid: process.pid,
        natsPid: natsKeeper?.server.process.pid ?? null,
        natsUrl: toConnection().url,
        ...(natsVersion !== undefined && {natsVersion}),
        stateDir,
        runDir,
        ...(found && {runtime: found}),
        confinement: toNodeConfinement(readHostFacts(), await readFeatures(options.runtime, {cacheDir: runDir})),
        nodeVersion: process.version,
        startedAt,
        ...(warnings.length > 0 && {warnings: [...warnings]}),
        ...(jetStream.trouble !== undefined && {trouble: jetStream.trouble}),
        ...(pages.url !== undefined && {httpUrl: pages.url}),
      }
    },
    invite: (actor) => pages.invite(actor),
    hold: (name, exec) => descriptors.hold(name, exec),
    shutDown: async ({containers}) => {
      if (containers) await deleteAll()
      // The reply goes out first.
      setTimeout(() => void close(), 20)
    },
    clock,
    logger,
  })
  link.onSession(async (connection) => {
    const service = await registerService(connection, {
      name: 'tally-coordinator',
      version,
      description: `coordinates node ${node}`,
      metadata: {node, pid: String(process.pid), startedAt},
      endpoints,
      logger,
      measure: metrics.measure,
    })
    announce()
    if (options.nats && (await mustGiveWay(connection, {id: service.info().id, node}).catch(() => false))) {
      process.stderr.write(`tally: another coordinator answers for node ${node} on this NATS, and was there before [NODE_RUNNING]\n`)
      await close()
    }
  })
  putBackContainers(options, logger)
  void watchSupervisors()
  supervisors.prepare()
  void rotateLogs()
  void keepReserve({dir: stateDir, clock, logger, isClosing: () => closing})
  void natsKeeper?.run({session: link.session, onStart: publishConnection})
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void close())

  function onFolded(event: LedgerEvent, ledger: Ledger): void {
    metrics.observer.onFolded(event, ledger)
    // An input ends when we let go of it as well; a container that was made anew has other pipes.
    const container = heldAnewAt.has(event.type) ? parseSource(event.source) : undefined
    if (container?.node === node) descriptors.lookAt(container)
  }

  /** Whether the projection has all that is in the stream now. */
  async function isCaughtUp(): Promise<boolean> {
    const connection = link.session()
    if (!connection) return false
    try {
      return await projection.caughtUp(connection)
    } catch {
      // The connection was lost meanwhile.
      return false
    }
  }

  /** One plain line for a person at a terminal; sessions after the first are diagnostics. */
  function announce(): void {
    const page = pages.url === undefined ? '' : `, its page on ${pages.url} (\`tally ui\`)`
    if (!announced)
      process.stdout.write(`tally: node ${node} is ready on ${toConnection().url}${page}; ctrl-c ends it, containers run on\n`)
    else logger.info({url: toConnection().url}, 'connected again')
    announced = true
  }

  function toConnection(): Connection {
    if (options.nats) return {...withServers(options.nats, knownServers), node, prefix}
    const server = natsKeeper?.server
    if (!server) throw new Error('neither an embedded server nor a URL')
    return {url: server.url, credentials: server.credentials, node, prefix}
  }

  async function publishServers(): Promise<void> {
    knownServers = link.servers()
    await publishConnection()
  }

  async function publishConnection(): Promise<void> {
    await writeConnection(connectionFile, toConnection())
  }

  /** Those that we have started tell when they end; those of a former coordinator have to be looked after. */
  async function watchSupervisors(): Promise<void> {
    while (!closing) {
      if (!existsSync(connectionFile)) await putBack()
      descriptors.look()
      adoptOrphans()
      if (reapOrphans()) await clock.sleep(hurriedWatchMs)
      else await untilChildEnds()
    }
  }

  /** Somebody has wiped the run directory: whoever is to find us looks there. */
  async function putBack(): Promise<void> {
    try {
      claimDirectory(runDir)
      putBackContainers(options, logger)
      await publishConnection()
      logger.error({runDir}, 'the run directory had been wiped: what could be put back is there again')
    } catch (error) {
      logger.error({err: error, runDir}, 'the run directory has been wiped, and cannot be put back')
    }
  }

  async function untilChildEnds(): Promise<void> {
    const listening = new AbortController()
    await Promise.race([clock.sleep(watchMs), once(process, 'SIGCHLD', {signal: listening.signal}).catch(() => {})])
    listening.abort()
  }

  /** Containers whose supervisor has died get another. */
  function adoptOrphans(): void {
    if (closing) return
    for (const orphan of listOrphans()) {
      if (givenUp.has(orphan.uid)) continue
      const when = intensity.ask(orphan.uid)
      if (when === 'never') giveUp(orphan)
      if (when === 'now') supervise(orphan)
    }
  }

  function listOrphans(): readonly Orphan[] {
    const assigned = [...supervisors.pids.values()]
    const isAssigned = (name: ContainerName) => assigned.some(({namespace, id}) => namespace === name.namespace && id === name.id)
    return findOrphans(options, isAssigned, logger)
  }

  function supervise({namespace, id, uid}: Orphan): void {
    givenUp.delete(uid)
    logger.warn({namespace, id}, 'starting a supervisor for a container that has none')
    supervisors
      .assign({node, namespace, id, uid, work: {type: 'recover', kept: [...descriptors.held({namespace, id})]}})
      .catch((error: unknown) => {
        logger.error({err: error, namespace, id}, 'cannot supervise this container')
      })
  }

  function giveUp(orphan: Orphan): void {
    const {namespace, id, uid} = orphan
    const {most: deaths, periodMs} = replacements
    logger.error(
      {namespace, id, deaths, periodMs},
      'its supervisors die again and again: it gets no other before this node is started again',
    )
    givenUp.add(uid)
    tellGivenUp(orphan, {deaths, periodMs}, {node, directories: options, subjects, openLink, clock, logger}).catch((error: unknown) => {
      logger.error({err: error, namespace, id}, 'cannot write into its ledger that it is unsupervised')
    })
  }

  /** A server that is busy, or has no room yet, may have it later. */
  async function keepEventStream(connection: NatsConnection): Promise<void> {
    for (; !connection.isClosed(); await clock.sleep(watchMs)) {
      try {
        await streamKeeper.ensure(connection)
        break
      } catch (error) {
        if (jetStream.trouble === undefined && !connection.isClosed()) logger.error({err: error}, 'no stream; trying again')
      }
    }
    using _watch = streamKeeper.watch(connection)
    await jetStream.watch(connection)
  }

  async function rotateLogs(): Promise<void> {
    for (; !closing; await clock.sleep(diagnostics.lookMs))
      rotateDiagnostics(
        ['coordinator.log', 'supervisors.log'].map((name) => join(stateDir, name)),
        diagnostics.mostBytes,
        logger,
      )
  }

  async function deleteAll(): Promise<void> {
    await deleteContainers({
      list: () => listContainers(options),
      ask: async ({namespace, id}) => {
        const subject = subjects.containerCommand({node, namespace, id}, 'delete')
        const reply = await requestJson(await link.connected(), subject, {force: true}, {schema: z.unknown(), timeoutMs: deleteAnswerMs})
        if (reply === undefined) throw new TallyError('CONTAINER_NOT_FOUND', 'no supervisor answers')
      },
      supervise: (name) => {
        for (const orphan of listOrphans()) if (orphan.namespace === name.namespace && orphan.id === name.id) supervise(orphan)
      },
      clock,
    })
  }

  async function close(): Promise<void> {
    if (closing) return
    closing = true
    logger.debug('ending; containers run on')
    supervisors.close()
    await pages[Symbol.asyncDispose]()
    await link[Symbol.asyncDispose]()
    await natsKeeper?.close()
    // With no container left, nobody needs the run directory.
    if (listContainers(options).length === 0) {
      for (const leftover of ['connection.json', 'open-page.html', 'runc', 'containers'])
        rmSync(join(runDir, leftover), {recursive: true, force: true})
      removeIfEmpty(runDir)
    }
    lock[Symbol.dispose]()
    process.exit(0)
  }
}
