/** One container under this process: its parts, put together, for as long as it is in the ledger. */
import {join} from 'node:path'
import {isBundleRequest} from '../../machines/schemas/create-request.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {foldEvents} from '../../machines/ledger/ledger.ts'
import {openFileJournal, readJournalFile} from '../journal/file-journal.ts'
import type {Clock} from '../kernel/clock.ts'
import type {Logger} from '../kernel/log.ts'
import {version} from '../kernel/version.ts'
import type {ChildReaper} from '../linux/child-reaper.ts'
import {readBootId} from '../linux/process-table.ts'
import {setCloseOnExec} from '../linux/close-on-exec.ts'
import {encodeJson} from '../messaging/codec.ts'
import type {Connection} from '../messaging/connection.ts'
import type {NatsLink} from '../messaging/link.ts'
import {createOutbox, type Outbox} from '../messaging/outbox.ts'
import {createSubjects} from '../messaging/subjects.ts'
import {prepareBundle} from '../runtime/bundle.ts'
import {writeExecProcess} from '../runtime/exec-process.ts'
import {findRootOwner} from '../runtime/root-owner.ts'
import {unmountBelow} from '../runtime/rootfs.ts'
import {readFeatures} from '../runtime/runc/features.ts'
import {createRunc} from '../runtime/runc/runc.ts'
import type {HostFacts} from '../runtime/spec/host-facts.ts'
import {openProcessStdio} from '../stdio/process-stdio.ts'
import type {Assignment, SupervisorOptions} from './assignment.ts'
import {createContainerOutputs} from './output/container-outputs.ts'
import {createEffectHandlers, runEffect} from './effects/container-effects.ts'
import {createExecEffects} from './effects/exec-effects.ts'
import {createFailpoints, createFileFailpoint, failpointsVariable, noFailpoints} from './failpoints.ts'
import {findInit} from './recovery/find-init.ts'
import {createHealthChecks} from './effects/health-checks.ts'
import {createInitProcess} from './processes/init-process.ts'
import {findInheritedProcess} from './processes/inherited-descriptors.ts'
import {removeLast} from './effects/files-of-container.ts'
import {keepRuntimeState} from './effects/copy-runtime-state.ts'
import {createLastRoom} from './effects/reserved-space.ts'
import {reserveFile, toContainerLayout} from '../layout/container-layout.ts'
import {createLoop, type Loop} from './loop/loop.ts'
import {createOomWatch} from './processes/oom-watch.ts'
import {toEndOrigin, toOwnOrigin} from './loop/origin.ts'
import {createProbe} from './processes/health-probe.ts'
import {createProcessWatcher} from './processes/process-watcher.ts'
import {createRestartEffects} from './effects/restart-effects.ts'
import {type ContainerService, serveContainer} from './endpoints/service.ts'
import {createStats} from './processes/stats.ts'
import {restoreFromStream} from './recovery/restore-from-stream.ts'
import {takeOver} from './recovery/take-over.ts'
import {createUrgency} from './output/urgency.ts'

/** What this process has before it knows its container. */
export interface SupervisorProcess {
  readonly options: SupervisorOptions
  readonly clock: Clock
  readonly logger: Logger
  readonly childReaper: ChildReaper
  readonly link: NatsLink
  readonly host: HostFacts
  /** Resolves when the coordinator has been told what became of the assignment. */
  readonly replied: Promise<void>
}

const copiedAt: ReadonlySet<LedgerEvent['type']> = new Set(['container.created', 'container.updated'])
const lastReplyPatienceMs = 5_000
/** What a health check writes is not kept beyond its answer. */
const checkLog = {maxBytes: 64 * 1024, maxFiles: 1}
const holdAnswerMs = 500

/** @throws TallyError JOURNAL_LOCKED, JOURNAL_DAMAGED */
export async function supervise(
  {node, namespace, id, uid, work}: Assignment,
  {prefix}: Pick<Connection, 'prefix'>,
  {options, clock, logger, childReaper, link, host, replied}: SupervisorProcess,
): Promise<Loop> {
  const address = {node, namespace, id}
  const layout = toContainerLayout(options, address, uid)
  const bootNow = () => ({bootId: readBootId(), ms: clock.elapsed()})
  const log = logger.child({container: `${namespace}/${id}`})
  process.title = `tally-supervisor ${namespace}/${id}`
  const failpointsDir = process.env[failpointsVariable]
  const failpoints = failpointsDir === undefined ? noFailpoints : createFailpoints(createFileFailpoint(failpointsDir, address))
  const reaper = failpoints.reaper(childReaper)
  const journal = openFileJournal(layout.journal)
  if (journal.repair.tornBytes > 0) log.warn(journal.repair, 'cut a torn last line off the journal')
  const lastRoom = createLastRoom(layout, reserveFile(options.stateDir), log)
  const subjects = createSubjects(prefix)
  // Once: of a long journal it takes seconds.
  const folded = foldEvents(journal.read())
  const {restored, ledger} =
    work.type === 'recover'
      ? await restoreFromStream({journal, ledger: folded, link, subjects, address, uid, clock, logger: log})
      : {restored: 0, ledger: folded}
  const outbox: Outbox = createOutbox({
    source: failpoints.source(journal),
    link,
    subjects,
    address,
    uid,
    clock,
    logger: log,
    fresh: work.type === 'create',
    onRebuild: (data) => void loop.observe({type: 'supervisor.republished', data}, toOwnOrigin(uid)),
  })
  const urgency = createUrgency(clock)
  const {request} = work.type === 'create' ? work : ledger.snapshot.context
  // A user namespace comes with a bundle alone.
  const findOwner = () => (request && isBundleRequest(request) ? findRootOwner(request.bundle) : undefined)
  const outputs = createContainerOutputs({link, subjects, address, layout, clock, findOwner, failpoints, isUrgent: urgency.isUrgent})
  const ownHome = !request || isBundleRequest(request) || request.env.some((entry) => entry.startsWith('HOME='))
  const {binary = options.runtime, root = layout.runtimeRoot, ...how} = request?.runtime ?? {}
  const runtime = createRunc({
    ...how,
    binary,
    root,
    logDir: layout.stateDir,
    onSpawn: (pid) => {
      reaper.spawned(pid)
      failpoints.onSpawn()
    },
    onReaped: (pid) => {
      reaper.forget(pid)
      failpoints.onReaped()
    },
  })
  const inherited = work.type === 'recover' ? work.kept : []
  for (const {fd} of inherited) setCloseOnExec(fd)
  const watch = createProcessWatcher({reaper, clock, findInherited: (identity) => findInheritedProcess(inherited, identity)})
  const oom = createOomWatch({clock, onOom: (data) => void loop.observe({type: 'container.oom', data}, toOwnOrigin(uid))})
  const init = createInitProcess({
    watch,
    clock,
    onSignal: oom.look,
    onExit: (exit, source, usage) => {
      execs.killAll()
      const exitedAt = new Date(clock.now()).toISOString()
      const oomKilled = oom.hasEnded(exit)
      const data = {exit, exitedAt, source, ...(usage && {usage}), ...(oomKilled && {oomKilled}), boot: bootNow()}
      const end = {type: 'container.exited', data} as const
      return loop.observe(end, toEndOrigin(end, loop.ledger, uid))
    },
  })
  const execs = createExecEffects(
    {
      runtime,
      outputs,
      watch,
      clock,
      reaper,
      prepareProcess: (spec, {processFile}) =>
        writeExecProcess(spec, {bundle: loop.ledger.snapshot.context.bundle ?? layout.stateDir, ownHome, processFile}),
      hold: async (exec) => {
        const connection = link.session()
        const ask = () =>
          connection?.request(subjects.nodeCommand(node, 'hold'), encodeJson({namespace, id, exec}), {timeout: holdAnswerMs})
        // Without a coordinator there is nobody to hold them.
        await ask()?.catch(() => {})
      },
      loop: () => loop,
      logger: log,
    },
    {containerId: id, uid, layout},
  )
  const health = createHealthChecks({
    probe: createProbe(
      {
        runtime,
        watch,
        clock,
        reaper,
        cgroups: () => loop.ledger.snapshot.context.cgroups,
        openStdio: (place, onOutput) =>
          openProcessStdio({...place, stdin: false, terminal: false, owner: findOwner(), rotation: checkLog, now: clock.now, onOutput}),
        prepareProcess: (spec, processFile) =>
          writeExecProcess(spec, {bundle: loop.ledger.snapshot.context.bundle ?? layout.stateDir, ownHome, processFile}),
      },
      {containerId: id, dir: join(layout.runDir, 'health')},
    ),
    clock,
    bootNow,
    loop: () => loop,
  })
  const handlers = createEffectHandlers(
    {
      runtime,
      init,
      outputs,
      clock,
      bootNow,
      reaper,
      prepareBundle: (request) =>
        prepareBundle(request, {
          dir: layout.stateDir,
          containerId: id,
          cgroupsPath: how.systemdCgroup ? layout.systemdCgroupsPath : layout.cgroupsPath,
          host,
          features: () => readFeatures(binary, {cacheDir: options.runDir, onSpawn: reaper.spawned, onReaped: reaper.forget}),
          findInit: (other) =>
            findInit(() => readJournalFile(toContainerLayout(options, {namespace, id: other}, '').journal), {namespace, id: other}),
        }),
      unmountRootfs: () => unmountBelow(layout.stateDir),
      lastRoom,
      ofExecs: execs.handlers,
      ofRestarts: createRestartEffects({clock, bootNow, random: Math.random, loop: () => loop}),
      health,
      loop: () => loop,
      end: () => void end(),
    },
    {address, layout, limitsSwap: host.limitsSwap ?? false},
  )
  const loop: Loop = createLoop(
    {
      journal: failpoints.journal(lastRoom.journal(journal)),
      clock,
      bootNow,
      logger: log,
      runEffect: failpoints.effects((effect, cause) => runEffect(handlers, effect, cause)),
      onEvent,
    },
    {address, uid, ledger},
  )
  let service: ContainerService | undefined
  if (work.type === 'recover')
    await takeOver(
      {loop, runtime, init, execs, outputs, oom, layout, clock, bootNow, logger: log, end},
      {id, inherited, repair: journal.repair, restored},
    )
  service = serveContainer({
    address,
    uid,
    version,
    loop,
    outputs,
    layout,
    stats: createStats({
      ledger: () => loop.ledger,
      publish: (sample) => link.session()?.publish(subjects.stats(address), encodeJson(sample)),
      clock,
    }),
    link,
    outbox,
    subjects,
    clock,
    logger: log,
  })
  return loop

  function onEvent(event: LedgerEvent): void {
    urgency.note()
    outbox.poke()
    if (copiedAt.has(event.type) && root === layout.runtimeRoot) keepRuntimeState(layout, id, log)
    if ((event.type === 'container.created' || event.type === 'container.started') && event.data.init)
      oom.watch(event.data.init.pid, event.data.cgroups ?? [], 0)
    const {init: identity, cgroups, oom: told} = loop.ledger.snapshot.context
    if (event.type === 'container.updated' && identity) oom.watch(identity.pid, cgroups, told?.killed ?? 0)
    if (event.type !== 'container.exited') return
    oom[Symbol.dispose]()
    health.end()
  }

  /** Everything is told: first the stream must have it, then the directory goes, then we do. */
  async function end(): Promise<void> {
    while (!(await outbox.whenAcknowledged(journal.latestSequence(), 60_000))) log.info('waiting for the stream to confirm the last event')
    // The next that has the id has the address as well: from now on nothing is ours that comes for it.
    await service?.leave(lastReplyPatienceMs)
    await removeLast(layout, {unmount: () => unmountBelow(layout.stateDir), clock, logger: log})
    // Whoever waits for a reply gets it: on NATS, and the coordinator about a create that failed.
    await Promise.race([Promise.all([service?.answerAll(), replied]), clock.sleep(lastReplyPatienceMs)])
    // What has been answered in this very turn is still to be handed to the connection.
    await clock.sleep(1)
    await link[Symbol.asyncDispose]()
    journal[Symbol.dispose]()
    process.exit(0)
  }
}
