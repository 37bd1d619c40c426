/** The coordinator process: one per node. It may be killed and started again at any time; containers run on. */
import {once} from 'node:events'
import {existsSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {createSystemClock} from '../kernel/clock.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {toNodeSocket} from '../kernel/lock-file.ts'
import {createLogger, writeOut} from '../kernel/log.ts'
import {digestProgram} from '../kernel/program-digest.ts'
import {version} from '../kernel/version.ts'
import {toSource} from '../../machines/ledger/ids.ts'
import {toContainerLayout} from '../layout/container-layout.ts'
import {readConnection} from '../messaging/connection.ts'
import {createServiceManager} from '../linux/notify.ts'
import {settleProcess} from '../linux/settle-process.ts'
import {createNatsLink} from '../messaging/link.ts'
import {createSubjects} from '../messaging/subjects.ts'
import {readFeatures} from '../runtime/runc/features.ts'
import {createRunc} from '../runtime/runc/runc.ts'
import {toNodeConfinement} from '../runtime/spec/confine.ts'
import {readHostFacts} from '../runtime/spec/host-facts.ts'
import {shimProgram} from '../shim/client/program.ts'
import {beneathShim} from '../shim/client/coordinator-command.ts'
import {openPages, type PagesSources} from '../web/server/pages.ts'
import {createConnectionFile, toConnectionFile} from './directories/connection-file.ts'
import {keepDiagnosticsSmall} from './directories/diagnostics.ts'
import {claimDirectories, claimDirectoriesAgain} from './directories/directories.ts'
import {keepReserve} from './directories/disk-reserve.ts'
import {removeUnusedRunDirectory, restoreAtStart, restoreIfWiped} from './directories/run-directory.ts'
import {deleteAllContainers} from './endpoints/delete-all.ts'
import {readNodeInfo} from './endpoints/node-info.ts'
import {createRegistration} from './endpoints/register.ts'
import {createNodeEndpoints} from './endpoints/service.ts'
import {readOverview} from './endpoints/overview.ts'
import {readJournals} from './ledgers/journals.ts'
import {createNodeLedgers, readBefore} from './ledgers/node-ledgers.ts'
import {createProjection} from './ledgers/projection.ts'
import {createMetrics} from './metrics/metrics.ts'
import {createSupervisorCounts} from './supervision/supervisor-counts.ts'
import {readSupervisorStates} from './supervision/supervisor-states.ts'
import {type CoordinatorOptions, coordinatorOptionsSchema, coordinatorOptionsVariable} from './options.ts'
import {checkNats, checkNatsAgain} from './stream/check-nats.ts'
import {openEmbeddedNats} from './stream/embedded-nats.ts'
import {createExternalNats, followServers} from './stream/external-nats.ts'
import {followStream} from './stream/follow-stream.ts'
import {createJetStreamWatch} from './stream/jetstream-watch.ts'
import {createStreamKeeper} from './stream/stream-keeper.ts'
import {createSleepers} from './sleepers/sleepers.ts'
import {createInputFollower} from './supervision/follow-inputs.ts'
import {becomeShim} from './supervision/become-shim.ts'
import {createNodeSupervision} from './supervision/node-supervision.ts'
import {openParent} from './supervision/parent.ts'
import {watchContainers} from './supervision/watch.ts'
import {createUpgrade} from './upgrade/upgrade-container.ts'

const logger = createLogger('coordinator')
const clock = createSystemClock()
/** So that the reply to `shutdown` goes out first. */
const endDelayMs = 20

/** The file name of the bundle of the supervisor; scripts/build.mjs puts it here. */
declare const supervisorProgram: string

// Whether it can be started at all: `tally upgrade` asks before it moves anything.
if (process.argv.includes('--version')) {
  writeOut(1, `${version}\n`)
  process.exit(0)
}
const program = dirname(fileURLToPath(import.meta.url))
const running = {
  command: [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
  digest: digestProgram(join(program, 'coordinator.js')),
}
/** With the reason `replaced`: another coordinator is to be started at once, and finds nats-server and everything else as it is. */
const ending = new AbortController()
const replaced = 'replaced'
const serviceManager = createServiceManager(process.env['NOTIFY_SOCKET'], (err) => logger.warn({err}, 'cannot tell the service manager'))
const parent = await openParent(process.argv.includes(beneathShim), {
  onLost: () => {
    if (!ending.signal.aborted) becomeShim(program, logger)
  },
})

try {
  // Before anything is started, since every process that is started inherits it.
  const warnings = settleProcess()
  await main(coordinatorOptionsSchema.parse(JSON.parse(process.env[coordinatorOptionsVariable] ?? '{}')), warnings)
  await (ending.signal.reason === replaced ? parent.giveWay() : parent.leave())
  process.exit(0)
} catch (error) {
  const {code, message} = toErrorBody(error)
  logger.fatal({code, err: error}, message)
  writeOut(2, `tally: ${message} [${code}]\n`)
  // Otherwise one that has run before is started again.
  if (parent.isFirstStart || ending.signal.aborted || code === 'NODE_RUNNING') await parent.leave()
  process.exit(1)
}

async function main(options: CoordinatorOptions, warnings: readonly string[]): Promise<void> {
  const {stateDir, runDir, prefix} = options
  const startedAt = new Date(clock.now()).toISOString()
  using lock = parent.isFirstStart ? claimDirectories(options, options.node) : await claimDirectoriesAgain(options, options.node, clock)
  const {node} = lock
  process.title = `tally-coordinator ${node}`
  await parent.show(`tally-shim (coordinator ${node})`)
  await parent.listen(toNodeSocket(runDir))
  for (const warning of warnings) logger.warn(warning)
  const subjects = createSubjects(prefix)
  const {signal} = ending

  // Before anything is started: an address that was asked for and cannot be had ends this.
  const ready = Promise.withResolvers<PagesSources>()
  const pages = await openPages({
    node,
    subjects,
    address: options.http,
    ready: ready.promise,
    stateDir,
    pageDir: join(program, 'web'),
    clock,
    logger,
  })

  const natsOptions = {binary: options.natsServer, dir: join(stateDir, 'nats'), runDir, clock}
  const nats = options.nats
    ? createExternalNats(options.nats, await readConnection(toConnectionFile(runDir)).catch(() => undefined))
    : await openEmbeddedNats(natsOptions, logger)
  const connectionFile = createConnectionFile({runDir, node, prefix, access: nats.access})
  await restoreAtStart(options, {connectionFile, clock, logger})
  await connectionFile.write()
  const known = () => (nats.type === 'embedded' ? nats.trouble() : undefined)
  const jetStream = createJetStreamWatch({known, url: () => nats.access().url, clock})
  const streamKeeper = createStreamKeeper({subjects, stateDir, wanted: options.stream ?? {}, clock, logger})
  const check = {node, subjects, connectionFile, streamKeeper, clock, logger}
  await (parent.isFirstStart ? checkNats(nats, check) : checkNatsAgain(nats, check))

  const openLink = (role?: string) => {
    const name = () => [process.title, role].filter(Boolean).join(' ')
    return createNatsLink({readConnection: connectionFile.read, name, clock, logger})
  }
  const link = openLink()
  const {descriptors, orphans, shims, supervisors, supervision, wake} = createNodeSupervision({
    node,
    options: {
      stateDir,
      runDir,
      runtime: options.runtime,
      ...(options.sleepAfterMs !== 'never' && {sleepAfterMs: options.sleepAfterMs}),
    },
    program: join(program, 'supervisor.js'),
    shimProgram: shimProgram(program),
    subjects,
    openLink,
    onAsleep: (name) => void sleepers.standIn.take(name),
    clock,
    logger,
    signal,
  })

  const projection = createProjection({
    link,
    subjects,
    clock,
    logger,
    reader: `coordinator-${node}`,
    readBefore: (event) => readBefore({node, directories: options}, event),
  })
  const readStates = () =>
    readSupervisorStates({
      directories: options,
      status: shims.status,
      isStoodInFor: sleepers.standIn.isSleeping,
      find: (name) => projection.ledgers.get(toSource({node, ...name})),
    })
  const metrics = createMetrics({
    node,
    version,
    ledgers: () => projection.ledgers,
    readJournals: () => readJournals(options, {node, ledgers: projection.ledgers, toState: readStates()}),
    supervisorCounts: createSupervisorCounts(shims, (name) => existsSync(toContainerLayout(options, name, '').journal)),
    readStandIn: () => sleepers.standIn.figures(),
    isConnected: () => link.session() !== undefined,
    startedAt: Date.parse(startedAt),
    coordinatorRestarts: parent.process?.deaths ?? 0,
    caughtUp: async () => {
      const connection = link.session()
      return connection !== undefined && (await projection.caughtUp(connection).catch(() => false))
    },
  })
  projection.observe(metrics.observer)
  projection.observe(createInputFollower(node, descriptors))
  ready.resolve({
    openLink: () => openLink('pages'),
    readOverview: (wanted) => readOverview(projection, link, wanted),
    renderMetrics: metrics.render,
  })

  const ledgers = createNodeLedgers({node, directories: options, ledgers: () => projection.ledgers, logger})
  const sleepers = createSleepers({
    node,
    subjects,
    link,
    directories: options,
    find: ledgers.find,
    wake,
    clock,
    logger,
  })
  projection.observe(sleepers.observer)
  const runtime = createRunc({binary: options.runtime, root: join(runDir, 'runc'), logDir: runDir})
  const endpoints = createNodeEndpoints({
    node,
    directories: options,
    supervisors,
    projection,
    ledgers,
    isSleeping: sleepers.standIn.isSleeping,
    subjects,
    session: link.session,
    jetStream,
    readSupervisors: readStates,
    info: () =>
      readNodeInfo({
        directories: options,
        startedAt,
        parent: parent.process,
        program: running,
        warnings,
        confinement: async () => toNodeConfinement(readHostFacts(), await readFeatures(options.runtime, {cacheDir: runDir})),
        runtime,
        session: link.session,
        natsUrl: () => nats.access().url,
        natsPid: () => (nats.type === 'embedded' ? nats.pid() : undefined),
        trouble: jetStream.trouble,
        httpUrl: pages.url,
      }),
    invite: pages.invite,
    upgrade: createUpgrade({
      node,
      subjects,
      session: link.session,
      directories: options,
      program: join(program, 'supervisor.js'),
      bundle: join(program, supervisorProgram),
      shimProgram: shimProgram(program),
      clock,
      logger,
    }),
    restart: () => {
      if (!parent.process) throw new TallyError('UNSUPPORTED', 'nothing would start this coordinator again: it has no shim')
      setTimeout(() => ending.abort(replaced), endDelayMs)
    },
    shutDown: async ({containers}) => {
      if (containers) await deleteAllContainers({node, directories: options, subjects, link, supervision, clock})
      setTimeout(() => ending.abort(), endDelayMs)
    },
    clock,
    logger,
  })
  link.onSession((connection) => followStream(connection, {streamKeeper, jetStream, clock, logger}))
  if (nats.type === 'external')
    link.onSession((connection) =>
      followServers(connection, async () => {
        nats.learn(link.servers())
        await connectionFile.write()
      }),
    )
  link.onSession(
    createRegistration({
      node,
      startedAt,
      endpoints: [...endpoints, ...sleepers.endpoints],
      measure: metrics.measure,
      logger,
      nats: {type: nats.type, url: () => nats.access().url},
      pageUrl: pages.url,
      onReady: serviceManager.ready,
      onSecond: () => ending.abort(),
    }),
  )
  const restoreRunDirectory = () =>
    restoreIfWiped(options, {connectionFile, listen: () => parent.listen(toNodeSocket(runDir)), clock, logger})
  await parent.onOrphanExit(orphans.keep)
  void watchContainers({restoreRunDirectory, descriptors, shims, supervision, orphans, clock, signal})
  supervisors.prepare()
  void keepDiagnosticsSmall({stateDir, clock, logger, signal})
  void keepReserve({dir: stateDir, clock, logger, signal})
  if (nats.type === 'embedded') nats.run({session: link.session, onStart: connectionFile.write, signal})
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => ending.abort())

  if (!signal.aborted) await once(signal, 'abort')
  serviceManager.stopping()
  logger.debug('ending; containers run on')
  supervisors.close()
  await pages[Symbol.asyncDispose]()
  await link[Symbol.asyncDispose]()
  if (signal.reason === replaced) return
  if (nats.type === 'embedded') await nats.close()
  removeUnusedRunDirectory(options)
}
