/** One container under this process: its parts, put together, for as long as it is in the ledger. */
import type {Timer} from '../../machines/charts/effects.ts'
import {isAtRest} from '../../machines/ledger/at-rest.ts'
import {foldEvents} from '../../machines/ledger/ledger.ts'
import {openFileJournal} from '../journal/file-journal.ts'
import type {Clock} from '../kernel/clock.ts'
import type {Logger} from '../kernel/log.ts'
import {version} from '../kernel/version.ts'
import {reserveFile, toContainerLayout} from '../layout/container-layout.ts'
import {hasSleepNote, removeSleepNote} from '../layout/sleep-note.ts'
import {readBootId} from '../linux/process-table.ts'
import {encodeJson} from '../messaging/codec.ts'
import type {Connection} from '../messaging/connection.ts'
import type {NatsLink} from '../messaging/link.ts'
import {createOutbox} from '../messaging/outbox.ts'
import {createSubjects} from '../messaging/subjects.ts'
import {toStartReasons} from '../shim/client/shim.ts'
import {unmountBelow} from '../runtime/rootfs.ts'
import type {HostFacts} from '../runtime/spec/host-facts.ts'
import {createShimStdios} from '../stdio/shim-stdio.ts'
import {type Assignment, type SupervisorOptions, toNextCommand} from './assignment.ts'
import {createContainerProcesses} from './container-processes.ts'
import {createContainerRuntime} from './container-runtime.ts'
import {createHandlers, createRunEffect} from './effects/effect-table.ts'
import {createLastRoom} from './effects/reserved-space.ts'
import {serveContainer} from './endpoints/service.ts'
import {readFailpoints} from './failpoints.ts'
import {leave} from './leave.ts'
import {createInbox} from './loop/inbox.ts'
import {createLoop, type Loop} from './loop/loop.ts'
import {createContainerOutputs} from './output/container-outputs.ts'
import {createStats} from '../observation/stats.ts'
import {restoreFromStream} from './recovery/restore-from-stream.ts'
import {takeOver} from './recovery/take-over.ts'
import {createChildren} from './shim/children.ts'
import type {SupervisorShim} from './shim/supervisor-shim.ts'
import {createActivityCount} from './sleep/activity.ts'
import {createContainerSleep} from './sleep/container-sleep.ts'

/** What this process has before it knows its container. */
export interface SupervisorProcess {
  readonly options: SupervisorOptions
  readonly clock: Clock
  readonly logger: Logger
  readonly shim: SupervisorShim
  readonly link: NatsLink
  readonly host: HostFacts
  /** The path of the program that this process runs. */
  readonly program: string
  /** Resolves when the coordinator has been told what became of the assignment. */
  readonly replied: Promise<void>
}

/** @throws TallyError JOURNAL_LOCKED, JOURNAL_DAMAGED */
export async function supervise(
  assignment: Assignment,
  {prefix}: Pick<Connection, 'prefix'>,
  {options, clock, logger: parentLogger, shim, link, host, program, replied}: SupervisorProcess,
): Promise<Loop> {
  const {node, namespace, id, uid, work} = assignment
  process.title = `tally-supervisor ${namespace}/${id}`
  const address = {node, namespace, id}
  const layout = toContainerLayout(options, address, uid)
  const bootNow = () => ({bootId: readBootId(), ms: clock.elapsed()})
  const logger = parentLogger.child({container: `${namespace}/${id}`})
  const failpoints = readFailpoints(address)
  const call = failpoints.call(shim.call)
  const children = createChildren({shim: {...shim, call}, logger})
  const stdios = createShimStdios({shim, listenToGrowths: shim.growths.listen})
  const subjects = createSubjects(prefix)
  const inbox = createInbox()
  const journal = openFileJournal(layout.journal)
  if (journal.repair.tornBytes > 0) logger.warn(journal.repair, 'cut a torn last line off the journal')
  // Once: of a long journal it takes seconds.
  const folded = foldEvents(journal.read())
  const reasons = toStartReasons(shim.held)
  // With a new shim it is woken only if there was nothing for the one before to hold: otherwise that was killed.
  const isWoken = !reasons.includes('died') && (!reasons.includes('first') || isAtRest(folded)) && hasSleepNote(layout, folded)
  removeSleepNote(layout)
  const {restored, ledger} =
    work.type === 'recover' && !isWoken
      ? await restoreFromStream({journal, ledger: folded, link, subjects, address, uid, clock, logger})
      : // The one before ended with all of it in the journal and in the stream.
        {restored: 0, ledger: folded}
  const exits = work.type === 'recover' ? work.exits : []

  const outbox = createOutbox({
    source: failpoints.source(journal),
    link,
    subjects,
    address,
    uid,
    clock,
    logger,
    fresh: work.type === 'create',
    onRebuild: (data) => void inbox.observe({type: 'supervisor.republished', data}),
  })
  const lastRoom = createLastRoom(layout, reserveFile(options.stateDir), logger)
  const unmountRootfs = () => unmountBelow(layout.stateDir)
  const {request} = work.type === 'create' ? work : ledger.snapshot.context
  const container = createContainerRuntime({options, layout, host, failpoints}, {address, request})
  const {findOwner} = container
  const outputs = createContainerOutputs({link, subjects, address, layout, clock, findOwner, stdios})
  const processes = createContainerProcesses(
    {...container, children, stdios, clock, bootNow, observe: inbox.observe},
    {containerId: id, layout, exits},
  )
  const over = Promise.withResolvers<void>()
  const count = createActivityCount(clock)
  const deadlines = new Map<Timer, number>()
  const handlers = createHandlers(
    {
      ...container,
      ...processes,
      outputs,
      children,
      lastRoom,
      deadlines,
      clock,
      bootNow,
      random: Math.random,
      logger,
      unmountRootfs,
      end: over.resolve,
    },
    {address, layout, limitsSwap: host.limitsSwap ?? false, copiesState: container.copiesState},
  )
  const runEffect = failpoints.effects(createRunEffect(handlers))
  const loop = createLoop(
    {
      journal: failpoints.journal(lastRoom.journal(journal)),
      clock,
      bootNow,
      logger,
      inbox,
      runEffect: (effect, call) => count.track(runEffect(effect, call)),
      onEvent: () => {
        count.note()
        outbox.poke()
      },
    },
    {address, uid, ledger},
  )
  const ending = {outbox, journal, link, shim, unmountRootfs, replied, clock, logger}
  if (work.type === 'recover') {
    // There was never a container.
    if (!ledger.latest) return await leave(ending, {layout, service: undefined})
    await takeOver(
      {...processes, loop, runtime: container.runtime, outputs, layout, clock, bootNow, logger},
      {id, exits, repair: journal.repair, restored, isWoken},
    )
  }
  children.settle()
  stdios.settle()
  const stats = createStats({
    ledger: () => loop.ledger,
    publish: (sample) => link.session()?.publish(subjects.stats(address), encodeJson(sample)),
    clock,
  })
  const service = serveContainer({
    address,
    uid,
    version,
    loop,
    outputs,
    layout,
    stats,
    link,
    outbox,
    subjects,
    running: {program, command: toNextCommand(assignment)},
    relieve: () => sleep.relieve(),
    onRequest: count.note,
    clock,
    logger,
  })
  void over.promise.then(() => leave(ending, {layout, service}))
  const sleep = createContainerSleep(
    {...processes, loop, journal, outbox, outputs, deadlines, service, count, shim, link, layout, clock, logger},
    {afterMs: options.sleepAfterMs},
  )
  return loop
}
